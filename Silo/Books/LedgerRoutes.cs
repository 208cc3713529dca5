using Grains.Interfaces.Books;
using Grains.Interfaces.Keys;
using Silo.Middleware;

namespace Silo.Books;

/// <summary>The books over HTTP.</summary>
public static class LedgerRoutes
{
    public static void MapLedger(this WebApplication app) =>
        app.MapGet("/api/ledger", Read)
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery())
            .WithTags("ledger")
            .WithSummary("The books of all systems: in = done + refused (by reason) + waiting.")
            .Produces<LedgerForm>();

    private static async Task<IResult> Read(HttpContext context, IGrainFactory grains)
    {
        var accounts = await grains.GetGrain<ILedgerGrain>(0).Read(context.RequestAborted);
        return Results.Json(new LedgerForm([.. accounts.Select(AccountForm.Of)]), BooksJson.AsItIs.LedgerForm);
    }
}
