namespace Silo.Middleware;

/// <summary>The sessions of browsers, which carry a cookie in the place of an API key.</summary>
public interface IBrowserSessions
{
    /// <summary>Who the browser's session stands for, and what its key may do now; null without one, or once it is over.</summary>
    ValueTask<Caller?> Find(HttpContext context);

    /// <summary>Nobody has to log in: there are no keys, and this is the silo's own machine.</summary>
    void BeginWithoutKey(HttpContext context);
}

/// <summary>
/// A route's rule: it is a page for people. A browser that is not logged in is sent to <paramref name="Login"/>, with the address to come
/// back to.
/// </summary>
public sealed record SendsToLogin(string Login);

/// <summary>
/// A route's rule: the session of a browser is good for it, though it is asked by another method than GET. The route itself refuses other
/// sites.
/// </summary>
public sealed record TakesSession;
