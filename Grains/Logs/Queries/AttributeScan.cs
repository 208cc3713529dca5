using System.Buffers;
using System.Text;

namespace Grains.Logs.Queries;

public enum AttributeKind
{
    /// <summary>There is none, or it is null.</summary>
    None,
    Text,

    /// <summary>Digits, perhaps behind a minus, that fit 64 bits: it is text as well as a number.</summary>
    Whole,

    /// <summary>A number with a fraction or an exponent, or too large for 64 bits: it is a number, and no text.</summary>
    Number,
    Boolean,

    /// <summary>A map or a list: it is there, and nothing else is asked of it.</summary>
    Container,
}

/// <summary>
/// Goes once over the members of a JSON object, where it lies, without allocating. What is not JSON ends the walk; it never throws.
/// </summary>
public ref struct AttributeScan
{
    private static readonly SearchValues<byte> EndsOfScalar = SearchValues.Create(", \t\r\n}]"u8);
    private static readonly SearchValues<byte> Brackets = SearchValues.Create("\"{}[]"u8);

    private readonly ReadOnlySpan<byte> _json;
    private int _at;

    public AttributeScan(ReadOnlySpan<byte> json)
    {
        _json = json;
        _at = 0;
        SkipSpace();
        _at = _at < json.Length && json[_at] == '{' ? _at + 1 : json.Length;
    }

    /// <summary>Between its quotes, as it stands.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>As it stands; a string with its quotes.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Where <see cref="Value"/> begins in the object's bytes.</summary>
    public int ValueStart { get; private set; }

    /// <summary>The same over the values of a JSON array.</summary>
    public static AttributeScan OfArray(ReadOnlySpan<byte> json)
    {
        var scan = new AttributeScan(json);
        scan._at = json is [(byte)'[', ..] ? 1 : json.Length;
        return scan;
    }

    /// <summary>The next value of an array.</summary>
    public bool NextValue()
    {
        SkipSpace();
        if (_at < _json.Length && _json[_at] == ',')
        {
            _at++;
            SkipSpace();
        }

        ValueStart = _at;
        if (ValueEnd(_at) is not { } end || end == _at)
        {
            return false;
        }

        Value = _json[_at..end];
        _at = end;
        return true;
    }

    public bool Next()
    {
        SkipSpace();
        if (_at < _json.Length && _json[_at] == ',')
        {
            _at++;
            SkipSpace();
        }

        if (_at >= _json.Length || _json[_at] != '"' || StringEnd(_at) is not { } nameEnd)
        {
            return false;
        }

        Name = _json[(_at + 1)..(nameEnd - 1)];
        _at = nameEnd;
        SkipSpace();
        if (_at >= _json.Length || _json[_at] != ':')
        {
            return false;
        }

        _at++;
        SkipSpace();
        ValueStart = _at;
        if (ValueEnd(_at) is not { } end || end == _at)
        {
            return false;
        }

        Value = _json[_at..end];
        _at = end;
        return true;
    }

    /// <summary>The first member of this name; null counts as none.</summary>
    /// <param name="name">In UTF-8, not escaped.</param>
    public static bool TryFind(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (json.IndexOf(name) < 0 && !json.Contains((byte)'\\'))
        {
            return false;
        }

        var scan = new AttributeScan(json);
        while (scan.Next())
        {
            if (IsNamed(scan.Name, name))
            {
                value = scan.Value;
                return !value.SequenceEqual("null"u8);
            }
        }

        return false;
    }

    public static AttributeKind KindOf(ReadOnlySpan<byte> value) =>
        value.IsEmpty
            ? AttributeKind.None
            : value[0] switch
            {
                (byte)'"' => AttributeKind.Text,
                (byte)'{' or (byte)'[' => AttributeKind.Container,
                (byte)'t' or (byte)'f' => AttributeKind.Boolean,
                (byte)'n' => AttributeKind.None,
                _ => NumberText.IsWhole(value) ? AttributeKind.Whole : AttributeKind.Number,
            };

    /// <summary>What a string between quotes says. <paramref name="room"/> has its length at least.</summary>
    /// <returns>The bytes written, or the string's own when nothing is escaped.</returns>
    public static ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> quoted, Span<byte> room)
    {
        var inside = quoted[1..^1];
        var at = inside.IndexOf((byte)'\\');
        if (at < 0)
        {
            return inside;
        }

        var length = 0;
        for (; at >= 0; at = inside.IndexOf((byte)'\\'))
        {
            inside[..at].CopyTo(room[length..]);
            length += at;
            length += ReadEscape(inside[at..], room[length..], out var used);
            inside = inside[(at + used)..];
        }

        inside.CopyTo(room[length..]);
        return room[..(length + inside.Length)];
    }

    /// <summary>A name as it is written, between its quotes, says this.</summary>
    public static bool IsNamed(ReadOnlySpan<byte> written, ReadOnlySpan<byte> name)
    {
        if (!written.Contains((byte)'\\'))
        {
            return written.SequenceEqual(name);
        }

        if (written.Length > 6 * name.Length)
        {
            return false; // No character takes more than six bytes escaped for each byte of it.
        }

        var room = ArrayPool<byte>.Shared.Rent(written.Length + 2);
        room[0] = (byte)'"';
        written.CopyTo(room.AsSpan(1));
        room[written.Length + 1] = (byte)'"';
        var plain = ArrayPool<byte>.Shared.Rent(written.Length);
        var same = Unescape(room.AsSpan(0, written.Length + 2), plain).SequenceEqual(name);
        ArrayPool<byte>.Shared.Return(plain);
        ArrayPool<byte>.Shared.Return(room);
        return same;
    }

    private static int ReadEscape(ReadOnlySpan<byte> from, Span<byte> to, out int used)
    {
        used = Math.Min(2, from.Length);
        if (from.Length < 2)
        {
            to[0] = (byte)'\\';
            return 1;
        }

        if (from[1] == 'u' && TryHex(from, out var unit))
        {
            used = 6;
            if (
                char.IsHighSurrogate((char)unit)
                && from.Length >= 12
                && from[6] == '\\'
                && from[7] == 'u'
                && TryHex(from[6..], out var low)
                && char.IsLowSurrogate((char)low)
            )
            {
                used = 12;
                return new Rune((char)unit, (char)low).EncodeToUtf8(to);
            }

            return (Rune.TryCreate((char)unit, out var rune) ? rune : Rune.ReplacementChar).EncodeToUtf8(to);
        }

        to[0] = from[1] switch
        {
            (byte)'n' => (byte)'\n',
            (byte)'r' => (byte)'\r',
            (byte)'t' => (byte)'\t',
            (byte)'b' => (byte)'\b',
            (byte)'f' => (byte)'\f',
            var sign => sign,
        };
        return 1;
    }

    private static bool TryHex(ReadOnlySpan<byte> escape, out int unit)
    {
        unit = 0;
        return escape.Length >= 6 && System.Buffers.Text.Utf8Parser.TryParse(escape.Slice(2, 4), out unit, out var used, 'x') && used == 4;
    }

    /// <summary>Behind the closing quote; null when there is none.</summary>
    private readonly int? StringEnd(int quote)
    {
        for (var at = quote + 1; at < _json.Length; at += 2)
        {
            var next = _json[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (next < 0)
            {
                return null;
            }

            at += next;
            if (_json[at] == '"')
            {
                return at + 1;
            }
        }

        return null;
    }

    private readonly int? ValueEnd(int at)
    {
        if (at >= _json.Length)
        {
            return null;
        }

        switch (_json[at])
        {
            case (byte)'"':
                return StringEnd(at);
            case (byte)'{' or (byte)'[':
                break;
            default:
                var length = _json[at..].IndexOfAny(EndsOfScalar);
                return length < 0 ? null : at + length;
        }

        for (var depth = 0; at < _json.Length; at++)
        {
            var next = _json[at..].IndexOfAny(Brackets);
            if (next < 0)
            {
                return null;
            }

            at += next;
            switch (_json[at])
            {
                case (byte)'"':
                    if (StringEnd(at) is not { } end)
                    {
                        return null;
                    }

                    at = end - 1;
                    break;
                case (byte)'{' or (byte)'[':
                    depth++;
                    break;
                default:
                    if (--depth == 0)
                    {
                        return at + 1;
                    }

                    break;
            }
        }

        return null;
    }

    private void SkipSpace()
    {
        while (_at < _json.Length && _json[_at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
        {
            _at++;
        }
    }
}
