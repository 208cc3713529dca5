using System.Collections.Immutable;
using System.Globalization;
using Grains.Crawling.Urls;

namespace Grains.Crawling.Sessions;

/// <summary>A cookie of one host, as it is stored.</summary>
/// <param name="Path">Requests below it carry the cookie.</param>
/// <param name="IsSecure">Only requests over https carry it.</param>
/// <param name="ExpiresAt">Null: it lasts as long as the crawl.</param>
public sealed record StoredCookie(string Name, string Value, string Path, bool IsSecure, DateTimeOffset? ExpiresAt);

/// <summary>
/// The cookies of one crawl on one host: RFC 6265, but each cookie is sent to the host that set it and to no other, also one with a
/// <c>Domain</c>. It is told the time.
/// </summary>
public static class CookieJar
{
    /// <summary>Cookies of a host; beyond, those set longest ago go.</summary>
    public const int MaxCookies = 50;

    /// <summary>Characters of a cookie with its attributes; a longer one is dropped.</summary>
    public const int MaxLength = 4096;

    /// <summary>The cookies after an answer.</summary>
    /// <param name="lines">Values of its <c>Set-Cookie</c> fields, in order.</param>
    public static ImmutableArray<StoredCookie> After(
        ImmutableArray<StoredCookie> cookies,
        IEnumerable<string> lines,
        CanonicalUrl url,
        DateTimeOffset now
    )
    {
        var kept = (cookies.IsDefault ? [] : cookies).Where(cookie => !IsOver(cookie, now)).ToList();
        foreach (var cookie in lines.Select(line => Parse(line, url, now)).OfType<StoredCookie>())
        {
            kept.RemoveAll(old => old.Name == cookie.Name && old.Path == cookie.Path);
            if (!IsOver(cookie, now))
            {
                kept.Add(cookie);
            }
        }

        return [.. kept.Skip(Math.Max(0, kept.Count - MaxCookies))];
    }

    /// <summary>The value of the <c>Cookie</c> field of a request; null when there is none. Longer paths come first (§5.4).</summary>
    public static string? Header(ImmutableArray<StoredCookie> cookies, CanonicalUrl url, DateTimeOffset now)
    {
        if (cookies.IsDefaultOrEmpty)
        {
            return null;
        }

        var header = string.Join(
            "; ",
            cookies
                .Where(cookie => !IsOver(cookie, now) && (!cookie.IsSecure || url.Scheme == "https") && IsBelow(url.Path, cookie.Path))
                .OrderByDescending(cookie => cookie.Path.Length)
                .Select(cookie => cookie.Name.Length == 0 ? cookie.Value : $"{cookie.Name}={cookie.Value}")
        );
        return header.Length == 0 ? null : header;
    }

    private static StoredCookie? Parse(string line, CanonicalUrl url, DateTimeOffset now)
    {
        if (line.Length > MaxLength || line.AsSpan().ContainsAny('\r', '\n', '\0'))
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
                case "path" when text.StartsWith('/'):
                    cookie = cookie with { Path = text };
                    break;
                case "secure":
                    cookie = cookie with { IsSecure = true };
                    break;
                case "domain" when !IsOfHost(url.Host, text.TrimStart('.')):
                    return null;
                case "max-age" when long.TryParse(text, CultureInfo.InvariantCulture, out var seconds):
                    hasMaxAge = true;
                    cookie = cookie with { ExpiresAt = seconds <= 0 ? DateTimeOffset.MinValue : After(now, seconds) };
                    break;
                case "expires"
                    when !hasMaxAge
                        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at):
                    cookie = cookie with { ExpiresAt = at };
                    break;
            }
        }

        return cookie.Name.Length == 0 && cookie.Value.Length == 0 ? null : cookie;
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

    private static bool IsOfHost(string host, string domain) =>
        domain.Length == 0
        || host.Equals(domain, StringComparison.OrdinalIgnoreCase)
        || host.EndsWith("." + domain, StringComparison.OrdinalIgnoreCase);

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
