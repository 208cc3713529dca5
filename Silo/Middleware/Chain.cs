using System.Collections.Immutable;
using Grains;
using Orleans.Serialization;
using Silo.Middleware.Grains;
using Silo.Settings;

namespace Silo.Middleware;

/// <summary>What every request passes before it reaches what it asked for, in this order. There is no other middleware.</summary>
public static class Chain
{
    public static ImmutableArray<Link> Http { get; } =
    [
        new("head", "HEAD is answered as GET is, without the body; then the route is looked up", app =>
            app.UseMiddleware<Head>().UseRouting()
        ),
        Link.Of<Tracing>("tracing", "goes on with the caller's trace (traceparent), and names it in the answer"),
        Link.Of<Metrics>("metrics", "counts and measures, by route, status and role"),
        Link.Of<Logging>("logging", "a line for what changes something or fails; a failure is answered without its insides: 500, 503"),
        Link.Of<Authentication>("authentication", "who it is, by API key, and whether the key's role is enough: 401, 403"),
        Link.Of<RateLimit>("rate limit", "requests a second of this key, and of all: 429 with Retry-After"),
        Link.Of<Idempotency>(
            "idempotency",
            "once per Idempotency-Key where a route says so: 400, 409, 422; a repeat gets the first answer"
        ),
        Link.Of<Validation>("validation", "what the route takes, and no more: 400, 413, 415"),
        new("antiforgery", "forms of the page were shown to this browser: 400", app => app.UseAntiforgery()),
    ];

    /// <summary>What every call of a grain passes, in this order, in a silo; a front has the calling half of it.</summary>
    public static ImmutableArray<GrainLink> OfGrains { get; } =
    [
        new(
            "tracing",
            "goes on with the caller's trace, when somebody listens",
            silo => silo.AddActivityPropagation(),
            client => client.AddActivityPropagation()
        ),
        new(
            "metrics",
            "counts and measures, by interface and method, when somebody listens",
            silo => silo.AddIncomingGrainCallFilter<CallMetrics>(),
            _ => { }
        ),
        new(
            "deadline",
            "a call from outside whose caller has given up is not begun",
            silo => silo.AddOutgoingGrainCallFilter<Deadline.Outgoing>().AddIncomingGrainCallFilter<Deadline.Incoming>(),
            client => client.AddOutgoingGrainCallFilter<Deadline.Outgoing>()
        ),
        new(
            "error mapping",
            "what the store threw goes out as \"ask again\"",
            silo =>
            {
                silo.AddIncomingGrainCallFilter<ErrorMapping>();
                silo.Services.Configure<ExceptionSerializationOptions>(ErrorMapping.Carry);
            },
            _ => { }
        ),
    ];

    public static void AddChain(this WebApplicationBuilder builder)
    {
        builder.Services.AddSettings<LimitsOptions>(builder.Configuration);
        builder.Services.AddSingleton<RequestMetrics>();
        builder.Services.AddSingleton<Availability>();
        builder.Services.AddSingleton<LongAnswers>();
        builder.Services.AddSingleton<RequestRates>();
        builder.Services.AddAntiforgery();
    }

    public static void AddGrainChain(this ISiloBuilder silo)
    {
        silo.Services.TryAddGuards();
        foreach (var link in OfGrains)
        {
            link.OfSilo(silo);
        }
    }

    public static void AddGrainChain(this IClientBuilder client)
    {
        client.Services.TryAddGuards();
        foreach (var link in OfGrains)
        {
            link.OfClient(client);
        }
    }

    public static void UseChain(this WebApplication app)
    {
        foreach (var link in Http)
        {
            link.Use(app);
        }
    }
}
