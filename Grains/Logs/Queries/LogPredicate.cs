using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Queries;

/// <summary>
/// Says whether a record matches a query, on its bytes, where they lie. Thread-safe and immutable; allocates nothing of its own (an
/// attribute with escapes, and a
/// pattern, borrow from the shared pool). It means exactly what <see cref="LogSql"/> means.
/// </summary>
public abstract class LogPredicate
{
    private protected LogPredicate() { }

    public abstract bool Matches(in LogRecord record);

    public static LogPredicate Of(QueryNode node) =>
        node switch
        {
            QueryNode.Every => Every.One,
            QueryNode.All all => new AllOf([.. all.Of.Select(Of).OrderBy(part => part.Cost)]),
            QueryNode.Any any => new AnyOf([.. any.Of.Select(Of).OrderBy(part => part.Cost)]),
            QueryNode.Not not => new NotOf(Of(not.Of)),
            QueryNode.Times times => new InTimes(times.IsObserved, times.From, times.To),
            QueryNode.Severities severities => new InSeverities(severities.From, severities.To),
            QueryNode.Text { Field: QueryField.Attribute } text => new OfAttribute(text.Name, BytesTest.Of(text.Test)),
            QueryNode.Text { Field: QueryField.Service, Test: TextTest.Equal test } => new ServiceIs(Encoding.UTF8.GetBytes(test.Value)),
            QueryNode.Text text => new OfText(text.Field, BytesTest.Of(text.Test)),
            _ => throw new ArgumentOutOfRangeException(nameof(node), node, "Not a node of a query."),
        };

    /// <summary>Cheap ones are asked first: none has an effect, so the order is free.</summary>
    private protected virtual int Cost => 0;

    private sealed class Every : LogPredicate
    {
        public static readonly Every One = new();

        public override bool Matches(in LogRecord record) => true;
    }

    private sealed class AllOf(LogPredicate[] parts) : LogPredicate
    {
        private protected override int Cost { get; } = parts.Sum(part => part.Cost);

        public override bool Matches(in LogRecord record)
        {
            foreach (var part in parts)
            {
                if (!part.Matches(record))
                {
                    return false;
                }
            }

            return true;
        }
    }

    private sealed class AnyOf(LogPredicate[] parts) : LogPredicate
    {
        private protected override int Cost { get; } = parts.Sum(part => part.Cost);

        public override bool Matches(in LogRecord record)
        {
            foreach (var part in parts)
            {
                if (part.Matches(record))
                {
                    return true;
                }
            }

            return false;
        }
    }

    private sealed class NotOf(LogPredicate part) : LogPredicate
    {
        private protected override int Cost => part.Cost;

        public override bool Matches(in LogRecord record) => !part.Matches(record);
    }

    private sealed class InTimes(bool observed, ulong from, ulong to) : LogPredicate
    {
        public override bool Matches(in LogRecord record) =>
            (observed ? record.ObservedTime : record.Time) is var time && time >= from && time <= to;
    }

    private sealed class InSeverities(int from, int to) : LogPredicate
    {
        public override bool Matches(in LogRecord record) => record.Severity is var severity && severity >= from && severity <= to;
    }

    private sealed class ServiceIs(byte[] service) : LogPredicate
    {
        private protected override int Cost => 1;

        public override bool Matches(in LogRecord record) => record.Service.SequenceEqual(service);
    }

    private sealed class OfText(QueryField of, BytesTest test) : LogPredicate
    {
        private protected override int Cost => (of == QueryField.Body ? 20 : 2) * test.Cost;

        public override bool Matches(in LogRecord record)
        {
            Span<byte> hex = stackalloc byte[32];
            return test.Passes(
                of switch
                {
                    QueryField.Service => record.Service,
                    QueryField.Host => record.Host,
                    QueryField.Body => record.Body,
                    QueryField.Event => record.EventName,
                    QueryField.Trace => Hex(record.TraceId, hex),
                    _ => Hex(record.SpanId, hex),
                }
            );
        }

        private static ReadOnlySpan<byte> Hex(ReadOnlySpan<byte> id, Span<byte> hex)
        {
            if (!id.ContainsAnyExcept((byte)0))
            {
                return [];
            }

            Convert.TryToHexStringLower(id, hex, out var length);
            return hex[..length];
        }
    }

    private sealed class OfAttribute(string name, BytesTest test) : LogPredicate
    {
        private readonly byte[] _name = Encoding.UTF8.GetBytes(name);
        private readonly byte[][] _path = AttributePath.Nested(name) is { } path ? [.. path.Select(Encoding.UTF8.GetBytes)] : [];

        private protected override int Cost => 30 * test.Cost;

        public override bool Matches(in LogRecord record)
        {
            var attributes = record.Attributes;
            return !attributes.IsEmpty
                && (AttributeScan.TryFind(attributes, _name, out var value) || TryFindNested(attributes, out value))
                && test.PassesValue(value);
        }

        private bool TryFindNested(ReadOnlySpan<byte> json, out ReadOnlySpan<byte> value)
        {
            value = json;
            foreach (var part in _path)
            {
                if (!AttributeScan.TryFind(value, part, out value))
                {
                    return false;
                }
            }

            return _path.Length > 0;
        }
    }

    /// <summary>A <see cref="TextTest"/> on bytes.</summary>
    private abstract class BytesTest
    {
        public virtual int Cost => 1;

        public static BytesTest Of(TextTest test) =>
            test switch
            {
                TextTest.Exists => new Exists(),
                TextTest.Equal equal => new Equal(Encoding.UTF8.GetBytes(equal.Value)),
                TextTest.EqualNumber { Value: >= NumberText.ExactUpTo or <= -NumberText.ExactUpTo } number
                    when NumberText.IsWhole(Encoding.UTF8.GetBytes(number.Written)) => new Equal(Encoding.UTF8.GetBytes(number.Written)),
                TextTest.EqualNumber number => new EqualNumber(number.Value),
                TextTest.Compare compare => new Compare(compare.Comparison, Encoding.UTF8.GetBytes(compare.Value)),
                TextTest.CompareNumber compare => new CompareNumber(compare.Comparison, compare.Value),
                TextTest.Like { Folded: true } like => new FoldedLike(like.Pieces),
                TextTest.Like like => new Like(like.Pieces),
                TextTest.Matches matches => new PatternTest(matches.Pattern),
                _ => throw new ArgumentOutOfRangeException(nameof(test), test, "Not a test of a text."),
            };

        /// <summary>Of a text that is there: not empty.</summary>
        protected abstract bool PassesText(ReadOnlySpan<byte> text);

        /// <summary>An empty text is none, unless it is asked for.</summary>
        public virtual bool Passes(ReadOnlySpan<byte> text) => !text.IsEmpty && PassesText(text);

        /// <summary>A JSON value as it stands, which is not null.</summary>
        public virtual bool PassesValue(ReadOnlySpan<byte> value)
        {
            switch (AttributeScan.KindOf(value))
            {
                case AttributeKind.Boolean:
                    return PassesText(value);
                case AttributeKind.Whole:
                    return PassesText(value.SequenceEqual("-0"u8) ? "0"u8 : value);
                case AttributeKind.Text:
                    if (!value.Contains((byte)'\\'))
                    {
                        return PassesText(value[1..^1]);
                    }

                    var room = ArrayPool<byte>.Shared.Rent(value.Length);
                    var passes = PassesText(AttributeScan.Unescape(value, room));
                    ArrayPool<byte>.Shared.Return(room);
                    return passes;
                default:
                    return false;
            }
        }
    }

    private sealed class Exists : BytesTest
    {
        protected override bool PassesText(ReadOnlySpan<byte> text) => true;

        public override bool PassesValue(ReadOnlySpan<byte> value) => true;
    }

    private sealed class Equal(byte[] wanted) : BytesTest
    {
        public override bool Passes(ReadOnlySpan<byte> text) => text.SequenceEqual(wanted);

        protected override bool PassesText(ReadOnlySpan<byte> text) => text.SequenceEqual(wanted);
    }

    private sealed class Compare(Comparison comparison, byte[] bound) : BytesTest
    {
        protected override bool PassesText(ReadOnlySpan<byte> text) => Holds(comparison, text.SequenceCompareTo(bound));
    }

    /// <summary>On numbers, and on texts that read as one.</summary>
    private abstract class NumberTest : BytesTest
    {
        protected abstract bool PassesNumber(double number);

        protected override bool PassesText(ReadOnlySpan<byte> text) => NumberText.TryRead(text, out var number) && PassesNumber(number);

        public override bool PassesValue(ReadOnlySpan<byte> value) =>
            AttributeScan.KindOf(value) == AttributeKind.Number ? PassesText(value) : base.PassesValue(value);
    }

    private sealed class EqualNumber(double wanted) : NumberTest
    {
        protected override bool PassesNumber(double number) => number == wanted;
    }

    private sealed class CompareNumber(Comparison comparison, double bound) : NumberTest
    {
        protected override bool PassesNumber(double number) => Holds(comparison, number.CompareTo(bound));
    }

    private sealed class Like(ImmutableArray<string> pieces) : BytesTest
    {
        private readonly byte[] _first = Encoding.UTF8.GetBytes(pieces[0]);
        private readonly byte[][] _middle = [.. pieces.Skip(1).SkipLast(1).Select(Encoding.UTF8.GetBytes)];
        private readonly byte[] _last = Encoding.UTF8.GetBytes(pieces[^1]);

        protected override bool PassesText(ReadOnlySpan<byte> text)
        {
            if (text.Length < _first.Length + _last.Length || !text.StartsWith(_first) || !text.EndsWith(_last))
            {
                return false;
            }

            var rest = text[_first.Length..^_last.Length];
            foreach (var piece in _middle)
            {
                var at = rest.IndexOf(piece);
                if (at < 0)
                {
                    return false;
                }

                rest = rest[(at + piece.Length)..];
            }

            return true;
        }
    }

    private sealed class FoldedLike(ImmutableArray<string> pieces) : BytesTest
    {
        private readonly FoldedText _first = new(Encoding.UTF8.GetBytes(pieces[0]));
        private readonly FoldedText[] _middle =
        [
            .. pieces.Skip(1).SkipLast(1).Select(piece => new FoldedText(Encoding.UTF8.GetBytes(piece))),
        ];
        private readonly FoldedText _last = new(Encoding.UTF8.GetBytes(pieces[^1]));

        public override int Cost => 2;

        protected override bool PassesText(ReadOnlySpan<byte> text)
        {
            if (text.Length < _first.Length + _last.Length || !_first.Begins(text) || !_last.Ends(text))
            {
                return false;
            }

            var rest = text[_first.Length..^_last.Length];
            foreach (var piece in _middle)
            {
                var at = piece.FindIn(rest);
                if (at < 0)
                {
                    return false;
                }

                rest = rest[(at + piece.Length)..];
            }

            return true;
        }
    }

    private sealed class PatternTest(Pattern pattern) : BytesTest
    {
        public override int Cost => 10;

        protected override bool PassesText(ReadOnlySpan<byte> text) => pattern.IsIn(text);
    }

    private static bool Holds(Comparison comparison, int order) =>
        comparison switch
        {
            Comparison.Less => order < 0,
            Comparison.LessOrEqual => order <= 0,
            Comparison.Greater => order > 0,
            _ => order >= 0,
        };
}

/// <summary>Where an attribute is looked for.</summary>
internal static class AttributePath
{
    /// <summary>The parts of a dotted name, for maps that lie in each other; null when there is only one way to read it.</summary>
    public static string[]? Nested(string name) => name.Split('.') is { Length: > 1 } parts && !parts.Contains("") ? parts : null;
}
