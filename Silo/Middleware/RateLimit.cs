namespace Silo.Middleware;

/// <summary>
/// So many requests a second under one key, and under all. Nothing waits here: what is too much is told when to come again.
/// </summary>
public sealed class RateLimit(RequestDelegate next, RequestRates rates)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (
            context.GetEndpoint()?.Metadata is { } rules
            && (rules.GetMetadata<OpenToAll>() is { Unlimited: true } || rules.GetMetadata<TakesInBulk>() is not null)
        )
        {
            await next(context);
            return;
        }

        if (rates.Refusal(Caller.Of(context).Name) is { } problem)
        {
            await problem.ExecuteAsync(context);
            return;
        }

        await next(context);
    }
}
