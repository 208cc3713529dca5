using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Sessions;

/// <summary>
/// What a crawl adds to its requests: own header fields go to the origins of its seeds (and to https of the same hosts), credentials to the
/// host that they name. So neither follows a link or a redirect to another host, nor from https to http. robots.txt is asked for without
/// them.
/// </summary>
public sealed class CrawlSession
{
    /// <summary>Own header fields of a crawl, and credentials.</summary>
    public const int MaxFields = 20;

    /// <summary>Characters of one of them.</summary>
    public const int MaxLength = 8 * 1024;

    private static readonly FrozenSet<string> Reserved = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "Accept-Encoding",
        "Connection",
        "Content-Length",
        "Content-Type",
        "Expect",
        "Host",
        "If-Match",
        "If-Modified-Since",
        "If-None-Match",
        "If-Range",
        "If-Unmodified-Since",
        "Keep-Alive",
        "Proxy-Authorization",
        "Range",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "User-Agent"
    );

    private readonly ImmutableArray<(string Name, string Value)> _fields;
    private readonly FrozenDictionary<string, string> _authorization;
    private readonly FrozenSet<string> _origins;
    private readonly FrozenSet<HostKey> _hosts;

    private CrawlSession(
        ImmutableArray<(string, string)> fields,
        Dictionary<string, string> authorization,
        IReadOnlyCollection<CanonicalUrl> seeds
    )
    {
        _fields = fields;
        _authorization = authorization.ToFrozenDictionary(StringComparer.Ordinal);
        if (fields.IsEmpty && authorization.Count == 0)
        {
            seeds = []; // Nothing is bound to them: this is made for each page.
        }

        _origins = seeds.Select(seed => seed.Origin).ToFrozenSet(StringComparer.Ordinal);
        _hosts = seeds.Select(seed => seed.HostKey).ToFrozenSet();
    }

    /// <param name="errors">What is wrong, a sentence each, without the secrets; empty when nothing is.</param>
    public static CrawlSession Create(CrawlSpec spec, IReadOnlyCollection<CanonicalUrl> seeds, out ImmutableArray<string> errors)
    {
        var wrong = ImmutableArray.CreateBuilder<string>();
        var fields = ImmutableArray.CreateBuilder<(string, string)>();
        var authorization = new Dictionary<string, string>(StringComparer.Ordinal);
        CheckCount(wrong, spec.Headers, "header fields");
        CheckCount(wrong, spec.Credentials, "credentials");
        foreach (var header in spec.Headers)
        {
            if (TryParseField(header, out var field, out var error))
            {
                fields.Add(field);
            }
            else
            {
                wrong.Add(error);
            }
        }

        foreach (var credential in spec.Credentials)
        {
            if (TryParseCredential(credential, out var host, out var value))
            {
                authorization[host.Value] = value;
            }
            else
            {
                wrong.Add(
                    $"The credential of \"{UrlFaults.Shorten(credential.Split('=')[0])}\" is not HOST=USER:PASSWORD or HOST=bearer:TOKEN."
                );
            }
        }

        foreach (var (what, text) in new[] { ("user agent", spec.UserAgent), ("contact", spec.Contact) })
        {
            if (text is { } said && (said.Length is 0 or > 500 || !said.All(IsVisible)))
            {
                wrong.Add($"The {what} has 1 to 500 visible ASCII characters.");
            }
        }

        errors = wrong.ToImmutable();
        return new(fields.ToImmutable(), authorization, seeds);
    }

    /// <summary>The fields that a request for this URL gets beyond those of every crawl.</summary>
    /// <param name="cookie">From the crawl's jar; null: none.</param>
    public ImmutableArray<(string Name, string Value)> For(CanonicalUrl url, string? cookie)
    {
        var isSafe = _origins.Contains(url.Origin) || url.Scheme == "https";
        var isOwn = isSafe && _hosts.Contains(url.HostKey);
        var authorization = isSafe ? _authorization.GetValueOrDefault(url.HostKey.Value) : null;
        if (!isOwn && authorization is null && cookie is null)
        {
            return [];
        }

        var fields = ImmutableArray.CreateBuilder<(string, string)>();
        var cookies = new List<string>();
        foreach (var (name, value) in isOwn ? _fields : [])
        {
            if (name.Equals("Cookie", StringComparison.OrdinalIgnoreCase))
            {
                cookies.Add(value);
            }
            else if (authorization is null || !name.Equals("Authorization", StringComparison.OrdinalIgnoreCase))
            {
                fields.Add((name, value));
            }
        }

        if (authorization is not null)
        {
            fields.Add(("Authorization", authorization));
        }

        if (cookie is not null)
        {
            cookies.Add(cookie);
        }

        if (cookies.Count > 0)
        {
            fields.Add(("Cookie", string.Join("; ", cookies)));
        }

        return fields.ToImmutable();
    }

    private static void CheckCount(ImmutableArray<string>.Builder wrong, ImmutableArray<string> texts, string what)
    {
        if (texts.Length > MaxFields)
        {
            wrong.Add($"There are {texts.Length} {what}: at most {MaxFields} are taken.");
        }
    }

    private static bool TryParseField(string text, out (string Name, string Value) field, out string error)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var name = colon < 0 ? "" : text[..colon].Trim();
        field = (name, colon < 0 ? "" : text[(colon + 1)..].Trim());
        error =
            name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c))
                ? "A header field is \"Name: value\"; one is not."
            : Reserved.Contains(name) ? $"The header field {name} is the crawler's own and cannot be set."
            : text.Length > MaxLength || !field.Value.All(c => c == '\t' || IsVisible(c))
                ? $"The value of the header field {name} has at most {MaxLength} visible ASCII characters."
            : "";
        return error.Length == 0;
    }

    private static bool TryParseCredential(string text, out HostKey host, out string value)
    {
        (host, value) = (default, "");
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var secret = equals < 0 ? "" : text[(equals + 1)..];
        var colon = secret.IndexOf(':', StringComparison.Ordinal);
        if (
            colon <= 0
            || text.Length > MaxLength
            || !CanonicalUrl.TryParse($"https://{text[..equals]}/", baseUrl: null, out var url)
            || url.Path != "/"
        )
        {
            return false;
        }

        host = url.HostKey;
        if (!secret.StartsWith("bearer:", StringComparison.OrdinalIgnoreCase))
        {
            value = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(secret));
            return true;
        }

        value = "Bearer " + secret[(colon + 1)..];
        return value.Length > "Bearer ".Length && value.All(c => IsVisible(c));
    }

    private static bool IsVisible(char c) => c is >= ' ' and <= '~';
}
