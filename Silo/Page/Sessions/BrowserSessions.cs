using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Options;
using Silo.Endpoints;
using Silo.Keys;
using Silo.Middleware;

namespace Silo.Page.Sessions;

/// <summary>
/// The sessions of browsers: made at the login from an API key, carried by a cookie that only this cluster can make or read, and good while
/// the key is, until the logout,
/// and for <see cref="Lifetime"/> at most.
/// </summary>
public sealed class BrowserSessions(
    IDataProtectionProvider protection,
    KeyRing keys,
    EndedSessions ended,
    IOptions<ClusterOptions> cluster,
    TimeProvider clock
) : IBrowserSessions
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    /// <summary>A revoked key and a logout end what is open after this and one look more, which is a second.</summary>
    private static readonly TimeSpan Staleness = TimeSpan.FromSeconds(3);

    private readonly IDataProtector _protector = protection.CreateProtector("Silo.Page.Session.1");

    /// <summary>Cookies know no ports: clusters on one machine tell theirs apart by their names.</summary>
    private readonly string _cookie =
        $"page-{Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(cluster.Value.Id)))[..12]}";

    /// <summary>Begins a session and gives the browser its cookie.</summary>
    public void Begin(HttpContext context, ApiKey key)
    {
        var until = clock.GetUtcNow() + Lifetime;
        var session = new PageSession(
            Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
            key.Name,
            Convert.ToHexStringLower(key.Hash),
            until
        );
        context.Response.Cookies.Append(
            _cookie,
            _protector.Protect(JsonSerializer.Serialize(session, SessionJson.Default.PageSession)),
            Options(context, until)
        );
    }

    /// <summary>Ends the session of this browser, at every front within seconds.</summary>
    public async Task End(HttpContext context)
    {
        context.Response.Cookies.Delete(_cookie, Options(context, null));
        if (Read(context.Request) is { } session)
        {
            await ended.Add(session, context.RequestAborted);
        }
    }

    public async ValueTask<Caller?> Find(HttpContext context)
    {
        if (Read(context.Request) is not { } session || await Find(session, context.RequestAborted) is not { } caller)
        {
            return null;
        }

        context.User = session.ToPrincipal();
        return caller;
    }

    public void BeginWithoutKey(HttpContext context) => context.User = PageSession.ThisMachine.ToPrincipal();

    /// <summary>Who it is and what its key may do now; null once the session is over.</summary>
    /// <exception cref="KeysUnavailableException">The store does not say.</exception>
    public async ValueTask<Caller?> Find(PageSession session, CancellationToken cancel)
    {
        if (session.IsThisMachine)
        {
            return await keys.IsOpen(cancel) ? Caller.ThisMachine : null;
        }

        return
            session.Until > clock.GetUtcNow()
            && await keys.Find(session.Key, Convert.FromHexString(session.KeyHash), Staleness, cancel) is { } key
            && !await ended.Contains(session.Id, cancel)
            ? new(key.Name, key.Role)
            : null;
    }

    private PageSession? Read(HttpRequest request)
    {
        if (request.Cookies[_cookie] is not { Length: > 0 } cookie)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(_protector.Unprotect(cookie), SessionJson.Default.PageSession);
        }
        catch (Exception wrong) when (wrong is CryptographicException or JsonException)
        {
            return null; // Not ours, or of a key that is gone: nobody is logged in.
        }
    }

    private static CookieOptions Options(HttpContext context, DateTimeOffset? until) =>
        new()
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Lax,
            Secure = context.Request.IsHttps || context.Request.Headers["X-Forwarded-Proto"] == "https",
            Path = "/",
            Expires = until,
            IsEssential = true,
        };
}
