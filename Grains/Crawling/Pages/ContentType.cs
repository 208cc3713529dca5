using System.Buffers;

namespace Grains.Crawling.Pages;

/// <summary>
/// What Content-Type header fields say, as browsers read them (Fetch standard, "extract a MIME type"). The default value says nothing.
/// </summary>
public readonly record struct ContentType
{
    private const string Space = " \t\r\n";

    private static readonly SearchValues<char> Token = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    );

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

    /// <summary>MIME Sniffing §4.6.</summary>
    public bool IsXml => MediaType is "text/xml" or "application/xml" || MediaType.EndsWith("+xml", StringComparison.Ordinal);

    /// <summary>
    /// Never fails. Of several values, between commas or of several fields, the last that is a media type counts; one that says the same
    /// type again without a charset keeps the charset of the one before. What is no media type, and <c>*/*</c>, says nothing.
    /// </summary>
    /// <param name="header">All fields, joined by commas.</param>
    public static ContentType Parse(string? header)
    {
        var said = default(ContentType);
        var rest = header.AsSpan();
        while (!rest.IsEmpty)
        {
            if (TryParseOne(Piece(ref rest, ','), out var type))
            {
                said = type.Charset is null && type.MediaType == said.MediaType ? said : type;
            }
        }

        return said;
    }

    /// <summary>MIME Sniffing §4.4; but single quotes around a charset are taken off too.</summary>
    private static bool TryParseOne(ReadOnlySpan<char> text, out ContentType type)
    {
        type = default;
        var essence = Piece(ref text, ';');
        var slash = essence.IndexOf('/');
        if (
            slash <= 0
            || slash == essence.Length - 1
            || essence is "*/*"
            || essence[..slash].ContainsAnyExcept(Token)
            || essence[(slash + 1)..].ContainsAnyExcept(Token)
        )
        {
            return false;
        }

        string? charset = null;
        while (!text.IsEmpty && charset is null)
        {
            var parameter = Piece(ref text, ';');
            var equals = parameter.IndexOf('=');
            if (equals > 0 && parameter[..equals].Trim(Space).Equals("charset", StringComparison.OrdinalIgnoreCase))
            {
                var value = parameter[(equals + 1)..].Trim(Space).Trim("\"'").Trim(Space);
                charset = value.IsEmpty ? null : value.ToString();
            }
        }

        type = new(essence.ToString().ToLowerInvariant(), charset);
        return true;
    }

    /// <summary>Takes what stands before the next separator that is not within double quotes.</summary>
    private static ReadOnlySpan<char> Piece(ref ReadOnlySpan<char> rest, char separator)
    {
        var quoted = false;
        for (var at = 0; at < rest.Length; at++)
        {
            if (rest[at] == '"')
            {
                quoted = !quoted;
            }
            else if (rest[at] == '\\' && quoted)
            {
                at++;
            }
            else if (rest[at] == separator && !quoted)
            {
                var piece = rest[..at].Trim(Space);
                rest = rest[(at + 1)..];
                return piece;
            }
        }

        var last = rest.Trim(Space);
        rest = default;
        return last;
    }

    /// <summary>
    /// Whether it is one of these media types or ranges (<c>text/*</c>); an empty list takes all, and so does a type that is not said.
    /// </summary>
    public bool IsAmong(System.Collections.Immutable.ImmutableArray<string> types)
    {
        var type = MediaType;
        return types.IsDefaultOrEmpty
            || type.Length == 0
            || types.Any(wanted =>
                wanted == "*/*"
                || (
                    wanted.EndsWith("/*", StringComparison.Ordinal)
                        ? type.StartsWith(wanted[..^1], StringComparison.OrdinalIgnoreCase)
                        : type.Equals(wanted, StringComparison.OrdinalIgnoreCase)
                )
            );
    }
}
