using System.Collections.Immutable;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Grains.Crawling.Urls;

namespace Grains.Crawling.Sessions;

/// <summary>A cookie, as it is stored.</summary>
/// <param name="Path">Requests below it carry the cookie.</param>
/// <param name="IsSecure">Only requests over https carry it.</param>
/// <param name="ExpiresAt">Null: it lasts as long as the crawl.</param>
/// <param name="Domain">This host and those below it get the cookie; null: the host that set it, and no other.</param>
public sealed record StoredCookie(string Name, string Value, string Path, bool IsSecure, DateTimeOffset? ExpiresAt, string? Domain = null);

/// <summary>
/// Cookies by RFC 6265, as browsers take them: one without a <c>Domain</c> is for the host that set it; one with a <c>Domain</c> is for
/// that domain and the hosts below it, and is refused for a public suffix. It is told the time.
/// </summary>
public static class CookieJar
{
    /// <summary>Cookies of one jar; beyond, those set longest ago go.</summary>
    public const int MaxCookies = 50;

    /// <summary>Characters of a cookie with its attributes; a longer one is dropped.</summary>
    public const int MaxLength = 4096;

    /// <summary>Bytes of the same as it is stored, so that a full jar fits into a row; one that has more is dropped.</summary>
    private const int MaxStoredBytes = 6 * 1024;

    /// <summary>A <c>Set-Cookie</c> field that is dropped for its length.</summary>
    public static bool IsTooLong(string line) =>
        line.Length > MaxLength
        || JsonEncodedText.Encode(line, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes.Length > MaxStoredBytes;

    /// <summary>The cookies after an answer.</summary>
    /// <param name="lines">Values of its <c>Set-Cookie</c> fields, in order.</param>
    /// <param name="cut">How many went because the jar was full.</param>
    public static ImmutableArray<StoredCookie> After(
        ImmutableArray<StoredCookie> cookies,
        IEnumerable<string> lines,
        CanonicalUrl url,
        DateTimeOffset now,
        out int cut
    ) => After(cookies, lines.Select(line => Parse(line, url, now)).OfType<StoredCookie>(), now, out cut);

    /// <summary>The cookies once these are set too, in order: one that has expired removes the one of its name, domain and path.</summary>
    public static ImmutableArray<StoredCookie> After(
        ImmutableArray<StoredCookie> cookies,
        IEnumerable<StoredCookie> set,
        DateTimeOffset now,
        out int cut
    )
    {
        var kept = (cookies.IsDefault ? [] : cookies).Where(cookie => !IsOver(cookie, now)).ToList();
        foreach (var cookie in set)
        {
            kept.RemoveAll(old => old.Name == cookie.Name && old.Domain == cookie.Domain && old.Path == cookie.Path);
            if (!IsOver(cookie, now))
            {
                kept.Add(cookie);
            }
        }

        cut = Math.Max(0, kept.Count - MaxCookies);
        return [.. kept.Skip(cut)];
    }

    /// <summary>The value of the <c>Cookie</c> field of a request; null when there is none. Longer paths come first (§5.4).</summary>
    public static string? Header(IEnumerable<StoredCookie> cookies, CanonicalUrl url, DateTimeOffset now)
    {
        var header = string.Join(
            "; ",
            cookies
                .Where(cookie =>
                    !IsOver(cookie, now)
                    && (!cookie.IsSecure || url.Scheme == "https")
                    && IsBelow(url.Path, cookie.Path)
                    && (cookie.Domain is not { } domain || IsOfDomain(url.Host, domain))
                )
                .OrderByDescending(cookie => cookie.Path.Length)
                .Select(cookie => cookie.Name.Length == 0 ? cookie.Value : $"{cookie.Name}={cookie.Value}")
        );
        return header.Length == 0 ? null : header;
    }

    /// <summary>The cookie of a <c>Set-Cookie</c> field; null when it is none, is too long, or is not for the host of the URL.</summary>
    public static StoredCookie? Parse(string line, CanonicalUrl url, DateTimeOffset now)
    {
        if (line.Any(c => char.IsControl(c) && c != '\t') || IsTooLong(line))
        {
            return null;
        }

        var parts = line.Split(';');
        var (name, value) = Pair(parts[0]);
        var cookie = new StoredCookie(name, value, DefaultPath(url.Path), IsSecure: false, ExpiresAt: null);
        var hasMaxAge = false;
        foreach (var (attribute, text) in parts.Skip(1).Select(Pair))
        {
            switch (attribute.ToLowerInvariant())
            {
                case "path":
                    cookie = cookie with { Path = text.StartsWith('/') ? text : DefaultPath(url.Path) };
                    break;
                case "secure":
                    cookie = cookie with { IsSecure = true };
                    break;
                case "domain" when text.Length > 0:
                    cookie = cookie with { Domain = text };
                    break;
                case "max-age" when long.TryParse(text, CultureInfo.InvariantCulture, out var seconds):
                    hasMaxAge = true;
                    cookie = cookie with { ExpiresAt = seconds <= 0 ? DateTimeOffset.MinValue : After(now, seconds) };
                    break;
                case "expires" when !hasMaxAge && CookieDate.TryParse(text, out var at):
                    cookie = cookie with { ExpiresAt = at };
                    break;
            }
        }

        return (cookie.Name.Length == 0 && cookie.Value.Length == 0) || !TryScope(url.Host, cookie.Domain, out var domain)
            ? null
            : cookie with
            {
                Domain = domain,
            };
    }

    /// <summary>
    /// §5.3, steps 4 to 6: the domain that a cookie is for; null: its host alone. False: the host may set no such cookie.
    /// </summary>
    private static bool TryScope(string host, string? attribute, out string? domain)
    {
        domain = null;
        if (attribute is null)
        {
            return true;
        }

        var text = attribute[0] == '.' ? attribute[1..] : attribute;
        if (text.Length == 0 || UrlHost.Parse(text, out var canonical) != UrlFault.None)
        {
            return false;
        }

        if (PublicSuffixes.RegistrableDomain(canonical!) is null)
        {
            return canonical == host; // An address, or a public suffix with pages of its own.
        }

        domain = canonical;
        return IsOfDomain(host, canonical!);
    }

    /// <summary>Without an equals sign it is a value without a name, as browsers take it.</summary>
    private static (string Name, string Value) Pair(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 && text.Trim() is "Secure" or "secure" or "HttpOnly" ? (text.Trim(), "")
            : equals < 0 ? ("", text.Trim())
            : (text[..equals].Trim(), text[(equals + 1)..].Trim());
    }

    private static DateTimeOffset? After(DateTimeOffset now, long seconds) =>
        seconds < (DateTimeOffset.MaxValue - now).TotalSeconds ? now.AddSeconds(seconds) : null;

    private static bool IsOver(StoredCookie cookie, DateTimeOffset now) => cookie.ExpiresAt <= now;

    private static bool IsOfDomain(string host, string domain) =>
        host == domain
        || (host.Length > domain.Length && host[^(domain.Length + 1)] == '.' && host.EndsWith(domain, StringComparison.Ordinal));

    /// <summary>§5.1.4: up to the last slash of the path, which does not count itself.</summary>
    private static string DefaultPath(string path)
    {
        var slash = path.LastIndexOf('/');
        return slash <= 0 ? "/" : path[..slash];
    }

    private static bool IsBelow(string path, string cookiePath) =>
        path.StartsWith(cookiePath, StringComparison.Ordinal)
        && (path.Length == cookiePath.Length || cookiePath.EndsWith('/') || path[cookiePath.Length] == '/');
}
