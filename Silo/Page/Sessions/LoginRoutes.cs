using Grains;
using Microsoft.AspNetCore.Antiforgery;
using Silo.Keys;
using Silo.Middleware;

namespace Silo.Page.Sessions;

/// <summary>The login by an API key and the logout: two plain forms.</summary>
internal static class LoginRoutes
{
    public const string Path = "/login";

    /// <summary>Begins a session by POST; a GET says whether there is one.</summary>
    public const string SessionPath = "/session";

    /// <summary>Ends the session by POST.</summary>
    public const string LogoutPath = "/session/end";

    /// <summary>Of the form: where to go after the login.</summary>
    public const string Return = "return";

    /// <summary>Of the address of the login: why it is shown again.</summary>
    public const string Wrong = "wrong";

    private const int MaxFormBytes = 16 * 1024;

    public static async Task<IResult> LogIn(
        HttpContext context,
        IAntiforgery antiforgery,
        KeyRing keys,
        BrowserSessions sessions,
        [FromKeyedServices(Clocks.Guards)] TimeProvider guards
    )
    {
        if (await Form(context, antiforgery) is not { } form)
        {
            return Results.Redirect(Address("form", "/"));
        }

        var back = Local(form[Return]);
        var secret = form["key"].ToString().Trim();
        var key = await keys.Find(secret, context.RequestAborted);
        if (key is null)
        {
            // One that was made a moment ago is known by then. Whoever guesses waits, too.
            await Task.Delay(KeyRing.StalenessOfMiss, guards, context.RequestAborted);
            key = await keys.Find(secret, context.RequestAborted);
        }

        if (key is null)
        {
            return Results.Redirect(Address("key", back));
        }

        sessions.Begin(context, key);
        return Results.LocalRedirect(back);
    }

    public static async Task<IResult> LogOut(HttpContext context, IAntiforgery antiforgery, BrowserSessions sessions)
    {
        await sessions.Find(context); // The form was made for whoever is logged in.
        if (await Form(context, antiforgery) is null)
        {
            return new Problem(StatusCodes.Status400BadRequest, "The form is too old or from another site. Load the page again.");
        }

        await sessions.End(context);
        return Results.LocalRedirect(Path);
    }

    /// <summary>Only an address of this site, so that a login leads nowhere else.</summary>
    internal static string Local(string? address) =>
        address is ['/', ..] && address is not ['/', '/' or '\\', ..] && !address.AsSpan().ContainsAnyInRange('\0', ' ') ? address : "/";

    private static string Address(string wrong, string back) => $"{Path}?{Wrong}={wrong}&{Return}={Uri.EscapeDataString(back)}";

    /// <summary>Null when it is not a form that a page of this cluster has shown to this browser.</summary>
    private static async Task<IFormCollection?> Form(HttpContext context, IAntiforgery antiforgery)
    {
        if (context.Request.ContentLength is not <= MaxFormBytes || !await antiforgery.IsRequestValidAsync(context))
        {
            return null;
        }

        return await context.Request.ReadFormAsync(context.RequestAborted);
    }
}
