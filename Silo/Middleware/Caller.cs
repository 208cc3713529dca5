using System.Text.Json.Serialization.Metadata;
using Grains.Interfaces.Keys;

namespace Silo.Middleware;

/// <summary>Who makes a request, as the authentication found out.</summary>
/// <param name="Name">The name of the key.</param>
/// <param name="Role">Null: nothing but what is open to everybody.</param>
public sealed record Caller(string Name, ApiRole? Role)
{
    /// <summary>Without a key, at what is open to everybody.</summary>
    public static Caller Anyone { get; } = new("-", null);

    /// <summary>Without a key, on a machine where none was made: may do everything.</summary>
    public static Caller ThisMachine { get; } = new("this-machine", ApiRole.Operator);

    public static Caller Of(HttpContext context) => context.Features.Get<Caller>() ?? Anyone;
}

/// <summary>A route's rule: this role at least. A route without a rule is for operators.</summary>
public sealed record Needs(ApiRole Role);

/// <summary>A route's rule: open to everybody, without a key.</summary>
/// <param name="Unlimited">It does not count against the limits: whoever asks for health must get an answer.</param>
public sealed record OpenToAll(bool Unlimited = false);

/// <summary>
/// A route's rule: it is looked at with a browser, which may send the key as the password of HTTP Basic, under any user name.
/// </summary>
public sealed record ForBrowsers;

/// <summary>
/// A route's rule: it takes in bulk. Its limit is the bytes of requests that are held at once (<c>Logs:BufferBytes</c>), which protects the
/// silo whatever the
/// requests are like; so many requests a second say nothing about a load, and would turn away senders that there is room for. Nor is each
/// request worth a line in the log.
/// </summary>
public sealed record TakesInBulk;

/// <summary>A route's rule: whoever knows the path may do what it does. The log has the route's pattern in its place.</summary>
public sealed record HasSecretPath;

/// <summary>A route's rule: it is at the door of OTLP too, which shows little else.</summary>
public sealed record OnOtlpEndpoint;

/// <summary>A route's rule: what goes wrong is told in a form that the route's protocol prescribes, also by the chain.</summary>
public interface ITellsProblems
{
    Task Tell(HttpContext context, Problem problem);
}

/// <summary>The rules of routes, as they are written where a route is mapped.</summary>
public static class RouteRules
{
    public static T For<T>(this T route, ApiRole role)
        where T : IEndpointConventionBuilder => route.WithMetadata(new Needs(role));

    public static T ForAll<T>(this T route, bool unlimited = false)
        where T : IEndpointConventionBuilder => route.WithMetadata(new OpenToAll(unlimited));

    /// <summary>A JSON body of this type and at most so many bytes, and no parameters; see <see cref="TakesBody{T}"/>.</summary>
    public static RouteHandlerBuilder Takes<T>(this RouteHandlerBuilder route, JsonTypeInfo<T> type, int maxBytes)
        where T : class => route.WithMetadata(new TakesBody<T>(type, maxBytes), new TakesQuery()).Accepts<T>("application/json");
}
