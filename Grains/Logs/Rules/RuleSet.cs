using System.Collections.Immutable;
using System.Text;
using Grains.Interfaces.Logs;
using Grains.Logs.Batching;
using Grains.Logs.Records;
using Grains.Logs.Segments;

namespace Grains.Logs.Rules;

/// <summary>What rules made of a block.</summary>
/// <param name="Parts">By retention class; none when nothing is left. When nothing had to be changed it is the very block that came
/// in.</param>
/// <param name="Counts">As they came, with what was dropped and sampled away moved from stored to there.</param>
public sealed record RuleOutcome(ImmutableArray<LogPart> Parts, ImmutableArray<ServiceCount> Counts);

/// <summary>What became of one record.</summary>
public enum RecordFate
{
    Kept,

    /// <summary>A rule dropped it.</summary>
    Filtered,

    /// <summary>A rule sampled, and it was not among those that are kept.</summary>
    Sampled,
}

/// <summary>
/// Rules in their order. Thread-safe: it counts, for <c>sample n/s</c>, and is otherwise immutable.
/// </summary>
/// <remarks>
/// A record walks from rule to rule. <c>keep</c> and <c>drop</c> end its walk, and so does being sampled away; what a sample lets through
/// goes on, so that a redaction behind it still
/// happens. What <c>redact</c> and <c>set</c> changed is what the next rule sees. A redaction that must not be missed stands before every
/// <c>keep</c>.
/// </remarks>
/// <param name="rules">At most <see cref="MaxRules"/>.</param>
/// <param name="chance">From 0 up to, not including, 1.</param>
public sealed class RuleSet(ImmutableArray<LogRule> rules, Func<double> chance)
{
    public const int MaxRules = 100;

    /// <summary>No rules: what comes in goes on as it is.</summary>
    public static readonly RuleSet Empty = new([], () => 0);

    private readonly ImmutableArray<SampleGate?> _gates =
    [
        .. rules.Select(rule => rule.Action is RuleAction.SampleRate rate ? new SampleGate(rate.PerSecond) : null),
    ];

    public ImmutableArray<LogRule> Rules => rules;

    /// <summary>Asks the rules of every record.</summary>
    /// <param name="counts">What was received, with everything that is in the block counted as stored.</param>
    /// <returns>
    /// New blocks, in rented memory as <see cref="LogBlockBuilder.Build"/> says, or the same one. The one that came in stays its owner's.
    /// </returns>
    public RuleOutcome Apply(LogBlock block, ImmutableArray<ServiceCount> counts, DateTimeOffset now)
    {
        if (rules.IsEmpty || block.Count == 0)
        {
            return new([new(RetentionClasses.Default, block)], counts);
        }

        using var walk = new Walk(this, now);
        using var sorted = new Sorted(block);
        for (var record = 0; record < block.Count; record++)
        {
            switch (walk.Send(block[record], out var retention))
            {
                case RecordFate.Kept when walk.Changed is { } changed:
                    sorted.Add(record, changed[0], retention);
                    break;
                case RecordFate.Kept:
                    sorted.Add(record, retention);
                    break;
                case var fate:
                    sorted.Leave(record, fate);
                    break;
            }
        }

        return new(sorted.Parts(), sorted.Counts(counts));
    }

    /// <summary>Sends records one by one through the rules; not thread-safe.</summary>
    public sealed class Walk(RuleSet set, DateTimeOffset now) : IDisposable
    {
        private readonly LogBlockBuilder _builder = new();
        private readonly ByteHeap _room = new(256);

        /// <summary>
        /// The record that was sent last, as the rules changed it; null when they did not. Good until the next one is sent.
        /// </summary>
        public LogBlock? Changed { get; private set; }

        public RecordFate Send(in LogRecord record, out string retention)
        {
            Forget();
            retention = RetentionClasses.Default;
            for (var number = 0; number < set.Rules.Length; number++)
            {
                var rule = set.Rules[number];
                var seen = Changed is { } changed ? changed[0] : record;
                if (!rule.Query.Predicate.Matches(seen))
                {
                    continue;
                }

                switch (rule.Action)
                {
                    case RuleAction.Keep:
                        return RecordFate.Kept;
                    case RuleAction.Drop:
                        return RecordFate.Filtered;
                    case RuleAction.SampleShare sample:
                        if (set.Chance() >= sample.Share)
                        {
                            return RecordFate.Sampled;
                        }

                        break;
                    case RuleAction.SampleRate:
                        if (!set._gates[number]!.Pass(Encoding.UTF8.GetString(record.Service), now))
                        {
                            return RecordFate.Sampled;
                        }

                        break;
                    case RuleAction.Route route:
                        retention = route.Class;
                        break;
                    case RuleAction.Set assign:
                        _room.Cut(0);
                        AttributeEdit.Set(_room, seen.Attributes, assign.Name, assign.Json);
                        Change(seen, seen.Body, _room.Written);
                        break;
                    case RuleAction.Redact redact:
                        Redact(seen, redact);
                        break;
                    default:
                        throw new InvalidOperationException($"\"{rule.Text}\" has an action that is not known.");
                }
            }

            return RecordFate.Kept;
        }

        public void Dispose()
        {
            Forget();
            _builder.Dispose();
            _room.Dispose();
        }

        private void Redact(in LogRecord record, RuleAction.Redact redact)
        {
            var body = redact.InBody ? SecretFinder.Redact(record.Body, redact.Secrets) : null;
            _room.Cut(0);
            var attributes = record.Attributes;
            var isChanged = !attributes.IsEmpty && AttributeEdit.Redact(_room, attributes, redact.Secrets, redact.Fields);
            if (body is not null || isChanged)
            {
                Change(record, body is null ? record.Body : Encoding.UTF8.GetBytes(body), isChanged ? _room.Written : attributes);
            }
        }

        private void Change(in LogRecord record, ReadOnlySpan<byte> body, ReadOnlySpan<byte> attributes)
        {
            _builder.Clear();
            _builder.Begin(record.Time, record.ObservedTime, record.Severity, record.TraceId, record.SpanId);
            _builder.AddText(record.SeverityText);
            _builder.AddText(record.Service);
            _builder.AddText(record.Host);
            _builder.AddText(record.EventName);
            _builder.AddText(body);
            _builder.AddText(attributes);
            _builder.End();
            var changed = _builder.Build();
            Forget();
            Changed = changed;
        }

        private void Forget()
        {
            if (Changed is { } old)
            {
                LogBlockBuilder.Return(old);
                Changed = null;
            }
        }
    }

    private double Chance() => chance();

    /// <summary>Where records go. Nothing is copied until the first of them is not kept as it is, in the default class.</summary>
    private sealed class Sorted(LogBlock block) : IDisposable
    {
        private readonly List<(string Class, LogBlockBuilder Builder)> _classes = [];
        private readonly Dictionary<string, (long Filtered, long Sampled)> _left = new(StringComparer.Ordinal);
        private bool _isSame = true;

        public void Add(int record, string retention)
        {
            if (_isSame && retention == RetentionClasses.Default)
            {
                return;
            }

            Part(record);
            Of(retention).Add(block[record]);
        }

        public void Add(int record, in LogRecord changed, string retention)
        {
            Part(record);
            Of(retention).Add(changed);
        }

        public void Leave(int record, RecordFate fate)
        {
            Part(record);
            var service = Encoding.UTF8.GetString(block[record].Service);
            var (filtered, sampled) = _left.GetValueOrDefault(service);
            _left[service] = fate == RecordFate.Filtered ? (filtered + 1, sampled) : (filtered, sampled + 1);
        }

        public ImmutableArray<LogPart> Parts() =>
            _isSame
                ? [new(RetentionClasses.Default, block)]
                : [.. _classes.Where(part => part.Builder.Count > 0).Select(part => new LogPart(part.Class, part.Builder.Build()))];

        public ImmutableArray<ServiceCount> Counts(ImmutableArray<ServiceCount> received)
        {
            if (_left.Count == 0)
            {
                return received;
            }

            var tally = new Tally();
            tally.Add(received);
            foreach (var (service, (filtered, sampled)) in _left)
            {
                tally.Add(Tally.None with { Service = service, Stored = -filtered - sampled, Filtered = filtered, Sampled = sampled });
            }

            return tally.Counts;
        }

        public void Dispose()
        {
            foreach (var (_, builder) in _classes)
            {
                builder.Dispose();
            }
        }

        /// <summary>From this record on, records are copied; those before it were kept as they are.</summary>
        private void Part(int record)
        {
            if (!_isSame)
            {
                return;
            }

            _isSame = false;
            for (var before = 0; before < record; before++)
            {
                Of(RetentionClasses.Default).Add(block[before]);
            }
        }

        private LogBlockBuilder Of(string retention)
        {
            foreach (var (name, builder) in _classes)
            {
                if (name == retention)
                {
                    return builder;
                }
            }

            var added = new LogBlockBuilder();
            _classes.Add((retention, added));
            return added;
        }
    }
}
