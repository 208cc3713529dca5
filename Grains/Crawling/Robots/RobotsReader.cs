using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Grains.Crawling.Robots;

/// <summary>Reads one robots.txt line by line. RFC 9309 §2.1 and §2.2.</summary>
internal sealed class RobotsReader(string productToken)
{
    private static readonly SearchValues<byte> InName = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"u8
    );

    private readonly Group _own = new();
    private readonly Group _everybody = new();
    private readonly ImmutableArray<string>.Builder _sitemaps = ImmutableArray.CreateBuilder<string>();

    // Several User-agent lines in a row name the same group; the first rule ends their list.
    private bool _naming;
    private bool _forOwn;
    private bool _forEverybody;

    public RobotsRules Read(ReadOnlySpan<byte> body)
    {
        var cut = body.Length > RobotsRules.MaxBytes;
        body = AsUtf8(WithoutCutLine(body));
        for (var line = 1; !body.IsEmpty; line++)
        {
            var end = body.IndexOfAny((byte)'\r', (byte)'\n');
            ReadLine(end < 0 ? body : body[..end], line);
            body = end < 0 ? [] : body[(end + (body[end..].StartsWith("\r\n"u8) ? 2 : 1))..];
        }

        // §2.2.1: the group for everybody else counts only when none names this crawler.
        var group = _own.Named ? _own : _everybody;
        return new(group.Rules, group.CrawlDelay, _sitemaps.ToImmutable(), cut);
    }

    /// <summary>Without its byte order mark. UTF-16, which no line of the RFC allows, is known by its mark and read all the same.</summary>
    private static ReadOnlySpan<byte> AsUtf8(ReadOnlySpan<byte> body) =>
        body switch
        {
            [0xEF, 0xBB, 0xBF, .. var rest] => rest,
            [0xFF, 0xFE, .. var rest] => Encoding.Convert(Encoding.Unicode, Encoding.UTF8, rest.ToArray()),
            [0xFE, 0xFF, .. var rest] => Encoding.Convert(Encoding.BigEndianUnicode, Encoding.UTF8, rest.ToArray()),
            _ => body,
        };

    /// <summary>Of a body beyond the limit the line that the cut goes through does not count.</summary>
    private static ReadOnlySpan<byte> WithoutCutLine(ReadOnlySpan<byte> body)
    {
        if (body.Length <= RobotsRules.MaxBytes)
        {
            return body;
        }

        body = body[..RobotsRules.MaxBytes];
        return body[..(body.LastIndexOfAny((byte)'\r', (byte)'\n') + 1)];
    }

    private void ReadLine(ReadOnlySpan<byte> line, int number)
    {
        var comment = line.IndexOf((byte)'#');
        line = (comment < 0 ? line : line[..comment]).Trim(" \t"u8);
        var colon = line.IndexOf((byte)':');
        if (colon < 0)
        {
            return;
        }

        var field = line[..colon].TrimEnd(" \t"u8);
        var value = line[(colon + 1)..].TrimStart(" \t"u8);
        if (Ascii.EqualsIgnoreCase(field, "user-agent"u8))
        {
            Name(value);
        }
        else if (Ascii.EqualsIgnoreCase(field, "allow"u8) || Ascii.EqualsIgnoreCase(field, "disallow"u8))
        {
            Rule(field.Length == "allow".Length, line, value, number);
        }
        else if (Ascii.EqualsIgnoreCase(field, "crawl-delay"u8))
        {
            Delay(value);
        }
        else if (Ascii.EqualsIgnoreCase(field, "sitemap"u8) && !value.IsEmpty)
        {
            _sitemaps.Add(Encoding.UTF8.GetString(value));
        }
    }

    /// <summary>
    /// What follows the name (<c>Bot/2.1</c>, <c>Bot*</c>, <c>Bot (of ours)</c>) is passed over, a longer name is another crawler's: a name
    /// is made of letters, <c>_</c> and <c>-</c> (§2.2.1), to which digits are added here so that <c>Bot2</c> is another one.
    /// </summary>
    private void Name(ReadOnlySpan<byte> agent)
    {
        if (!_naming)
        {
            _forOwn = _forEverybody = false;
            _naming = true;
        }

        var end = agent.IndexOfAnyExcept(InName);
        var name = end < 0 ? agent : agent[..end];
        if (Ascii.EqualsIgnoreCase(name, productToken))
        {
            _forOwn = _own.Named = true;
        }
        else if (agent is [(byte)'*'] or [(byte)'*', (byte)' ' or (byte)'\t' or (byte)'/', ..])
        {
            _forEverybody = true;
        }
    }

    private void Rule(bool allow, ReadOnlySpan<byte> line, ReadOnlySpan<byte> pattern, int number)
    {
        _naming = false;
        if ((!_forOwn && !_forEverybody) || RobotsRule.Read(allow, number, Printable(line), Octets(pattern)) is not { } rule)
        {
            return;
        }

        foreach (var group in Current())
        {
            group.Rules.Add(rule);
        }
    }

    /// <summary>
    /// Decimal seconds. It is no line of the RFC, so it does not end the list of names (§2.2.4), and counts for those named above it.
    /// </summary>
    private void Delay(ReadOnlySpan<byte> value)
    {
        if (!decimal.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
        {
            return;
        }

        var delay = TimeSpan.FromSeconds((double)Math.Min(seconds, (decimal)RobotsRules.MaxCrawlDelay.TotalSeconds));
        foreach (var group in Current())
        {
            group.CrawlDelay = group.CrawlDelay > delay ? group.CrawlDelay : delay;
        }
    }

    /// <summary>
    /// As text; bytes that are no UTF-8 become escapes, so that <c>/caf\xE9</c> is compared with <c>/caf%E9</c> and not with what replaces
    /// bad bytes.
    /// </summary>
    private static string Octets(ReadOnlySpan<byte> pattern)
    {
        if (Utf8.IsValid(pattern))
        {
            return Encoding.UTF8.GetString(pattern);
        }

        var text = new StringBuilder(3 * pattern.Length);
        while (!pattern.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(pattern, out var rune, out var used) == OperationStatus.Done)
            {
                text.Append(rune);
            }
            else
            {
                used = 1; // Of a sequence that breaks off each byte is an octet of its own.
                text.Append(CultureInfo.InvariantCulture, $"%{pattern[0]:X2}");
            }

            pattern = pattern[used..];
        }

        return text.ToString();
    }

    /// <summary>The text is shown on consoles, which control characters from a stranger must not reach.</summary>
    private static string Printable(ReadOnlySpan<byte> line) =>
        string.Concat(Encoding.UTF8.GetString(line).Select(c => char.IsControl(c) && c != '\t' ? '\uFFFD' : c));

    private IEnumerable<Group> Current()
    {
        if (_forOwn)
        {
            yield return _own;
        }

        if (_forEverybody)
        {
            yield return _everybody;
        }
    }

    /// <summary>§2.2.1: groups for the same crawler are one, wherever they stand in the file.</summary>
    private sealed class Group
    {
        public bool Named { get; set; }

        public List<RobotsRule> Rules { get; } = [];

        public TimeSpan? CrawlDelay { get; set; }
    }
}
