using Grains.Interfaces.Books;
using Grains.Interfaces.Keys;
using Silo.Middleware;

namespace Silo.Books;

/// <summary>The books over HTTP.</summary>
public static class LedgerRoutes
{
    public static void MapLedger(this WebApplication app) =>
        app.MapGet("/api/ledger", Read)
            .WithName("showLedger")
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery())
            .WithTags("ledger")
            .WithSummary(
                "The books of all systems: in = done + refused (by reason) + waiting; and, as soon as this process was asked "
                    + "before, how fast work comes in and is done."
            )
            .Produces<LedgerForm>();

    private static async Task<IResult> Read(HttpContext context, IGrainFactory grains, LedgerRates rates, TimeProvider clock)
    {
        var accounts = await grains.GetGrain<ILedgerGrain>(0).Read(context.RequestAborted);
        return Results.Json(rates.Add(clock.GetUtcNow(), accounts), BooksJson.AsItIs.LedgerForm);
    }
}
