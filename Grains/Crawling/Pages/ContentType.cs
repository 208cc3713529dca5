namespace Grains.Crawling.Pages;

/// <summary>What a Content-Type header says, read as mildly as browsers do. The default value says nothing.</summary>
public readonly record struct ContentType
{
    private readonly string? _mediaType;

    /// <param name="mediaType">In lower case; empty when it is not said.</param>
    /// <param name="charset">As it is written; null when it is not said.</param>
    public ContentType(string mediaType, string? charset)
    {
        _mediaType = mediaType.Length == 0 ? null : mediaType;
        Charset = charset;
    }

    /// <summary>In lower case, like <c>text/html</c>; empty when it is not said.</summary>
    public string MediaType => _mediaType ?? "";

    /// <summary>As it is written; null when it is not said.</summary>
    public string? Charset { get; }

    public bool IsHtml => MediaType is "text/html" or "application/xhtml+xml";

    /// <summary>Never fails: what is no media type leaves <see cref="MediaType"/> empty.</summary>
    public static ContentType Parse(string? header)
    {
        if (header is null)
        {
            return default;
        }

        var rest = header.AsSpan();
        var mediaType = Part(ref rest).ToString().ToLowerInvariant();
        var slash = mediaType.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == mediaType.Length - 1 || mediaType.AsSpan().ContainsAny(" \t,\""))
        {
            mediaType = "";
        }

        while (!rest.IsEmpty)
        {
            var parameter = Part(ref rest);
            var equals = parameter.IndexOf('=');
            if (equals > 0 && parameter[..equals].Trim().Equals("charset", StringComparison.OrdinalIgnoreCase))
            {
                var charset = parameter[(equals + 1)..].Trim().Trim("\"'").Trim();
                return new(mediaType, charset.IsEmpty ? null : charset.ToString());
            }
        }

        return new(mediaType, charset: null);
    }

    private static ReadOnlySpan<char> Part(ref ReadOnlySpan<char> rest)
    {
        var end = rest.IndexOf(';');
        var part = end < 0 ? rest : rest[..end];
        rest = end < 0 ? default : rest[(end + 1)..];
        return part.Trim();
    }
}
