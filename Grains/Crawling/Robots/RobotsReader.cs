using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Grains.Crawling.Robots;

/// <summary>Reads one robots.txt line by line. RFC 9309 §2.1 and §2.2.</summary>
internal sealed class RobotsReader(string productToken)
{
    private readonly Group _own = new();
    private readonly Group _everybody = new();
    private readonly ImmutableArray<string>.Builder _sitemaps = ImmutableArray.CreateBuilder<string>();

    // Several User-agent lines in a row name the same group; the first rule ends their list.
    private bool _naming;
    private bool _forOwn;
    private bool _forEverybody;

    public RobotsRules Read(ReadOnlySpan<byte> body)
    {
        body = WithoutCutLine(body);
        if (body.StartsWith("\uFEFF"u8))
        {
            body = body[3..];
        }

        for (var line = 1; !body.IsEmpty; line++)
        {
            var end = body.IndexOfAny((byte)'\r', (byte)'\n');
            ReadLine(end < 0 ? body : body[..end], line);
            body = end < 0 ? [] : body[(end + (body[end..].StartsWith("\r\n"u8) ? 2 : 1))..];
        }

        // §2.2.1: the group for everybody else counts only when none names this crawler.
        var group = _own.Named ? _own : _everybody;
        return new(group.Rules, group.CrawlDelay, _sitemaps.ToImmutable(), new(Allowed: true));
    }

    /// <summary>A body of exactly the limit may have been cut before it came here, so its last line counts only with a line end.</summary>
    private static ReadOnlySpan<byte> WithoutCutLine(ReadOnlySpan<byte> body)
    {
        if (body.Length < RobotsRules.MaxBytes)
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
        else if (Ascii.EqualsIgnoreCase(field, "sitemap"u8) && !value.IsEmpty && _sitemaps.Count < RobotsRules.MaxSitemaps)
        {
            _sitemaps.Add(Encoding.UTF8.GetString(value));
        }
    }

    /// <summary>A version after the name (<c>Bot/2.1</c>) is passed over; a longer name is another crawler's.</summary>
    private void Name(ReadOnlySpan<byte> agent)
    {
        if (!_naming)
        {
            _forOwn = _forEverybody = false;
            _naming = true;
        }

        var end = agent.IndexOfAny((byte)'/', (byte)' ', (byte)'\t');
        agent = end < 0 ? agent : agent[..end];
        if (Ascii.EqualsIgnoreCase(agent, productToken))
        {
            _forOwn = _own.Named = true;
        }
        else if (agent.SequenceEqual("*"u8))
        {
            _forEverybody = true;
        }
    }

    private void Rule(bool allow, ReadOnlySpan<byte> line, ReadOnlySpan<byte> pattern, int number)
    {
        _naming = false;
        if ((!_forOwn && !_forEverybody)
            || RobotsRule.Read(allow, number, Printable(line), Encoding.UTF8.GetString(pattern)) is not { } rule)
        {
            return;
        }

        foreach (var group in Current())
        {
            if (group.Rules.Count < RobotsRules.MaxRules)
            {
                group.Rules.Add(rule);
            }
        }
    }

    /// <summary>Decimal seconds. It is no line of the RFC, so it does not end the list of names (§2.2.4), and counts for those named above it.</summary>
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
