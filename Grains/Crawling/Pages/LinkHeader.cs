namespace Grains.Crawling.Pages;

/// <summary>
/// Goes through one Link field value (RFC 8288 §3): <c>&lt;/2&gt;; rel="next", &lt;/&gt;; rel=canonical</c>. Stops at what is no link.
/// </summary>
internal ref struct LinkHeader(ReadOnlySpan<char> value)
{
    private ReadOnlySpan<char> _rest = value;

    public ReadOnlySpan<char> Target { get; private set; }

    /// <summary>Words between white space; of several <c>rel</c> the first counts.</summary>
    public ReadOnlySpan<char> Relation { get; private set; }

    public bool Read()
    {
        _rest = _rest.TrimStart(" \t,");
        var end = _rest.IndexOf('>');
        if (_rest is not ['<', ..] || end < 0)
        {
            return false;
        }

        Target = _rest[1..end].Trim();
        Relation = default;
        _rest = _rest[(end + 1)..].TrimStart();
        var related = false;
        while (_rest is [';', ..])
        {
            _rest = _rest[1..].TrimStart();
            var nameEnd = _rest.IndexOfAny("=;,");
            var name = (nameEnd < 0 ? _rest : _rest[..nameEnd]).Trim();
            _rest = nameEnd < 0 ? default : _rest[nameEnd..];
            var parameter = ReadValue();
            if (!related && name.Equals("rel", StringComparison.OrdinalIgnoreCase))
            {
                Relation = parameter;
                related = true;
            }
        }

        return true;
    }

    private ReadOnlySpan<char> ReadValue()
    {
        if (_rest is not ['=', ..])
        {
            return default;
        }

        _rest = _rest[1..].TrimStart();
        if (_rest is ['"', ..])
        {
            var length = QuotedLength(_rest[1..]);
            var quoted = _rest.Slice(1, length);
            _rest = _rest[Math.Min(length + 2, _rest.Length)..].TrimStart();
            return quoted;
        }

        var end = _rest.IndexOfAny(";,");
        var value = (end < 0 ? _rest : _rest[..end]).Trim();
        _rest = end < 0 ? default : _rest[end..];
        return value;
    }

    private static int QuotedLength(ReadOnlySpan<char> text)
    {
        var at = 0;
        while (at < text.Length && text[at] != '"')
        {
            at += text[at] == '\\' ? 2 : 1;
        }

        return Math.Min(at, text.Length);
    }
}
