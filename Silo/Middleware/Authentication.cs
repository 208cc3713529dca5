using System.Collections.Immutable;
using System.Net;
using System.Text;
using Grains.Interfaces.Keys;
using Silo.Endpoints;
using Silo.Keys;

namespace Silo.Middleware;

/// <summary>
/// Who it is, by <c>Authorization: Bearer KEY</c> or <c>X-Api-Key: KEY</c>, and whether the key's role is enough for the route. While no
/// key was made,
/// and the doors are on loopback, everybody on this machine may do everything, except the web pages that somebody looks at there, and
/// whoever came through a proxy:
/// behind one that runs on this machine, the peer is always this machine.
/// </summary>
public sealed class Authentication(RequestDelegate next, KeyRing ring, ListeningEndpoints endpoints, IBrowserSessions? sessions = null)
{
    public const string KeyHeader = "X-Api-Key";

    private const string Bearer = "Bearer ";
    private const string Basic = "Basic ";

    /// <summary>
    /// With these proxies name the client that they stand for, besides all that begin with <see cref="ForwardedPrefix"/>.
    /// </summary>
    private static readonly ImmutableArray<string> ProxyHeaders =
    [
        "Forwarded",
        "Via",
        "X-Real-IP",
        "X-Client-IP",
        "X-Cluster-Client-IP",
        "X-Original-For",
        "X-Original-Host",
        "X-ProxyUser-Ip",
        "X-Envoy-External-Address",
        "X-Azure-ClientIP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "Fastly-Client-IP",
    ];

    private const string ForwardedPrefix = "X-Forwarded";

    public async Task InvokeAsync(HttpContext context)
    {
        // A path or method that nobody knows is answered without a key: there is nothing to guard.
        if (context.GetEndpoint() is not RouteEndpoint route || route.Metadata.GetMetadata<OpenToAll>() is not null)
        {
            await next(context);
            return;
        }

        if (
            await Refusal(
                context,
                route.Metadata.GetMetadata<Needs>() ?? new(ApiRole.Operator),
                route.Metadata.GetMetadata<ForBrowsers>() is not null
            ) is
            { } problem
        )
        {
            await Answer(context, route, problem);
            return;
        }

        await next(context);
    }

    /// <summary>A person who is not known is shown where to log in, and comes back from there; a program gets the problem.</summary>
    private static Task Answer(HttpContext context, RouteEndpoint route, Problem problem)
    {
        if (
            problem.Status != StatusCodes.Status401Unauthorized
            || route.Metadata.GetMetadata<SendsToLogin>() is not { } page
            || !HttpMethods.IsGet(context.Request.Method)
        )
        {
            return problem.ExecuteAsync(context);
        }

        context.Response.Redirect($"{page.Login}?return={Uri.EscapeDataString(context.Request.Path + context.Request.QueryString)}");
        return Task.CompletedTask;
    }

    /// <summary>Null when the caller is let in, and known.</summary>
    private async ValueTask<Problem?> Refusal(HttpContext context, Needs needs, bool forBrowsers)
    {
        var secret = Secret(context.Request, forBrowsers);
        if (secret is null && await ring.IsOpen(context.RequestAborted) && endpoints.Open.All(endpoint => endpoint.IsOnLoopback))
        {
            if (ProxyHeader(context.Request) is { } header)
            {
                return Unknown(
                    context,
                    forBrowsers,
                    $"This came through a proxy ({header}), so it may be anybody's: it needs an API key. An operator makes one "
                        + $"with \"keys add NAME --role reader\"."
                );
            }

            context.Features.Set(Caller.ThisMachine);
            sessions?.BeginWithoutKey(context);
            return IsOfAWebPage(context.Request)
                ? new(
                    StatusCodes.Status403Forbidden,
                    "Without API keys this silo answers programs on this machine, not web pages of other sites. Make a key with "
                        + "\"keys add\" to be known."
                )
                : null;
        }

        if (secret is null && sessions is not null && TakesSession(context) && await sessions.Find(context) is { } viewer)
        {
            return Let(context, viewer, needs);
        }

        if (secret is null)
        {
            return Unknown(
                context,
                forBrowsers,
                "This needs an API key: send it as \"Authorization: Bearer KEY\" or \"X-Api-Key: KEY\". An operator makes one "
                    + "with \"keys add NAME --role reader\"."
            );
        }

        if (await ring.Find(secret, context.RequestAborted) is not { } key)
        {
            return Unknown(context, forBrowsers, "This API key is not known, or was revoked.");
        }

        return Let(context, new(key.Name, key.Role), needs);
    }

    private static Problem? Let(HttpContext context, Caller caller, Needs needs)
    {
        context.Features.Set(caller);
        return caller.Role >= needs.Role
            ? null
            : new(
                StatusCodes.Status403Forbidden,
                $"The key \"{caller.Name}\" is for a {Word(caller.Role!.Value)}, and this is for a {Word(needs.Role)}."
            );
    }

    /// <summary>
    /// A browser sends its cookie by itself, so it counts only where nothing is changed by it, or where the route guards itself; and for no
    /// other site.
    /// </summary>
    private static bool TakesSession(HttpContext context) =>
        context.GetEndpoint()!.Metadata.GetMetadata<TakesSession>() is not null
        || (HttpMethods.IsGet(context.Request.Method) && !IsOfAnotherSite(context.Request));

    /// <summary>Whether another site's page sent it, by the names alone: behind a proxy that ends TLS the schemes differ.</summary>
    internal static bool IsOfAnotherSite(HttpRequest request) =>
        request.Headers.Origin is [{ } origin, ..]
        && !(
            Uri.TryCreate(origin, UriKind.Absolute, out var from)
            && from.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase)
        );

    private static string? Secret(HttpRequest request, bool forBrowsers)
    {
        if (forBrowsers && request.Headers.Authorization is [{ } basic] && basic.StartsWith(Basic, StringComparison.OrdinalIgnoreCase))
        {
            return Password(basic[Basic.Length..].Trim());
        }

        if (request.Headers.Authorization is [{ } authorization] && authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return authorization[Bearer.Length..].Trim();
        }

        return request.Headers[KeyHeader] is [{ Length: > 0 } key] ? key : null;
    }

    /// <summary>What stands after the colon (RFC 7617); empty when it is none of that form.</summary>
    private static string Password(string credentials)
    {
        var bytes = new byte[credentials.Length];
        return
            Convert.TryFromBase64String(credentials, bytes, out var length)
            && bytes.AsSpan(0, length).IndexOf((byte)':') is >= 0 and var colon
            ? Encoding.UTF8.GetString(bytes.AsSpan(colon + 1, length - colon - 1))
            : "";
    }

    private static Problem Unknown(HttpContext context, bool forBrowsers, string detail)
    {
        context.Response.Headers.WWWAuthenticate = forBrowsers ? "Basic realm=\"an operator's API key is the password\"" : "Bearer";
        return new(StatusCodes.Status401Unauthorized, detail);
    }

    /// <summary>
    /// A page of another site, open in a browser on this machine, can send requests here: with an Origin, or under a name of its own that
    /// it has
    /// made to mean this machine.
    /// </summary>
    internal static bool IsOfAWebPage(HttpRequest request)
    {
        var host = request.Host.Host.Trim('[', ']');
        if (host != "localhost" && !IPAddress.TryParse(host, out _))
        {
            return true;
        }

        return request.Headers.Origin is [{ } origin, ..] && origin != $"{request.Scheme}://{request.Host}";
    }

    /// <summary>The header by which a request shows that a proxy has passed it on; null where there is none.</summary>
    internal static string? ProxyHeader(HttpRequest request) =>
        ProxyHeaders.FirstOrDefault(request.Headers.ContainsKey)
        ?? request.Headers.Keys.FirstOrDefault(name => name.StartsWith(ForwardedPrefix, StringComparison.OrdinalIgnoreCase));

    private static string Word(ApiRole role) => role.ToString().ToLowerInvariant();
}
