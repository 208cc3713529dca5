using Grains.Interfaces.Keys;
using Grains.Interfaces.Orders;
using Silo.Middleware;

namespace Silo.Orders;

/// <summary>
/// Endpoints that are told of orders' changes, over HTTP. Secrets are in the answers to adding and rotating, and nowhere else.
/// </summary>
public static class WebhookRoutes
{
    internal static void MapWebhooks(this RouteGroupBuilder orders)
    {
        orders
            .MapPost("webhooks", Add)
            .WithName("addWebhook")
            .Refuses(StatusCodes.Status409Conflict)
            .For(ApiRole.Operator)
            .Takes(OrdersJson.Default.AddWebhookForm, AddWebhookForm.MaxBytes)
            .WithSummary(
                "Adds an endpoint, which is told of every change from then on. The answer has the secret that messages are "
                    + "signed with (Standard Webhooks 1.0); it is not shown again."
            )
            .Produces<WebhookForm>(StatusCodes.Status201Created);
        orders
            .MapGet("webhooks", List)
            .WithName("listWebhooks")
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery())
            .WithSummary("The endpoints.")
            .Produces<WebhookListForm>();
        orders
            .MapGet("webhooks/{id}", Show)
            .WithName("showWebhook")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery())
            .WithSummary("One endpoint: its state, circuit, rate and history, and what waits for it or is dead.")
            .Produces<WebhookForm>();
        orders
            .MapDelete("webhooks/{id}", Remove)
            .WithName("removeWebhook")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Operator)
            .WithMetadata(new TakesQuery())
            .WithSummary("Removes an endpoint with all that waits for it, dead letters included.")
            .Produces(StatusCodes.Status204NoContent);
        orders
            .MapPatch("webhooks/{id}", Edit)
            .WithName("editWebhook")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Operator)
            .Takes(OrdersJson.Default.EditWebhookForm, AddWebhookForm.MaxBytes)
            .WithSummary(
                "Changes an endpoint: its URL, the events that it asks for, its rate, the grace of a rotation. What is left out stays. "
                    + "Every change of an order that comes after the answer goes by it."
            )
            .Produces<WebhookForm>();
        orders
            .MapPost("webhooks/{id}/pause", Pause)
            .WithName("pauseWebhook")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Operator)
            .WithMetadata(new TakesQuery())
            .WithSummary("Sends an endpoint nothing until it is resumed. What comes waits, and no dead letter comes of it.")
            .Produces<WebhookForm>();
        orders
            .MapPost("webhooks/{id}/resume", Resume)
            .WithName("resumeWebhook")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Operator)
            .WithMetadata(new TakesQuery())
            .WithSummary("Sends a paused endpoint what has waited, slowly at first.")
            .Produces<WebhookForm>();
        orders
            .MapPost("webhooks/{id}/rotate", Rotate)
            .WithName("rotateWebhookSecret")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Operator)
            .WithMetadata(new TakesQuery())
            .WithSummary(
                "Makes a new secret. For the endpoint's grace, a day unless it was edited, messages are signed with the old one, "
                    + "too. The answer has the new one; it is not shown again."
            )
            .Produces<WebhookRotatedForm>();
        orders
            .MapPost("webhooks/{id}/enable", Enable)
            .WithName("enableWebhook")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Operator)
            .WithMetadata(new TakesQuery())
            .WithSummary(
                "Enables an endpoint. What became a dead letter meanwhile is replayed by asking for it: the answer says how many there are."
            )
            .Produces<WebhookEnabledForm>();
        orders
            .MapPost("webhooks/{id}/test", Test)
            .WithName("testWebhook")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Operator)
            .WithMetadata(new TakesQuery())
            .WithSummary("Sends a test message now, to a disabled endpoint too, and says what came of it.")
            .Produces<WebhookTestedForm>();
    }

    private static async Task<IResult> Add(HttpContext context, OrderDesk desk)
    {
        var added = await desk.Webhooks.Add(ITakesBody.BodyOf<AddWebhookForm>(context).Read(), context.RequestAborted);
        switch (added.Refusal)
        {
            case WebhookRefusal.None:
                var form = WebhookForm.Of(added.Endpoint!) with { Secret = added.Secret };
                context.Response.Headers.Location = $"/api/orders/webhooks/{form.Id}";
                context.Response.Headers.CacheControl = "no-store";
                return Results.Json(form, OrdersJson.AsItIs.WebhookForm, statusCode: StatusCodes.Status201Created);
            case WebhookRefusal.Full:
                return new Problem(StatusCodes.Status409Conflict, added.Error!);
            default:
                return Problem.Invalid(new Fault(added.Error!, $"#/{added.Refusal.ToString().ToLowerInvariant()}"));
        }
    }

    private static async Task<IResult> List(HttpContext context, OrderDesk desk) =>
        Results.Json(
            new WebhookListForm([.. (await desk.Webhooks.List(context.RequestAborted)).Select(WebhookForm.Of)]),
            OrdersJson.AsItIs.WebhookListForm
        );

    private static async Task<IResult> Show(HttpContext context, string id, OrderDesk desk)
    {
        if (!WebhookId.IsOne(id) || await desk.Webhook(id).Show(context.RequestAborted) is not { } endpoint)
        {
            return None(id);
        }

        var deliveries = WebhookDeliveriesForm.Of(await desk.Subscriber(WebhookForm.SubscriberOf(id), context.RequestAborted));
        return Results.Json(WebhookForm.Of(endpoint) with { Deliveries = deliveries }, OrdersJson.AsItIs.WebhookForm);
    }

    private static async Task<IResult> Remove(HttpContext context, string id, OrderDesk desk) =>
        WebhookId.IsOne(id) && await desk.Webhooks.Remove(id, context.RequestAborted) ? Results.NoContent() : None(id);

    private static async Task<IResult> Edit(HttpContext context, string id, OrderDesk desk)
    {
        var (change, fault) = ITakesBody.BodyOf<EditWebhookForm>(context).Read();
        if (change is null)
        {
            return Problem.Invalid(new Fault(fault!, "#/graceSeconds"));
        }

        var edited = await desk.Webhooks.Edit(id, change, context.RequestAborted);
        return edited.Error is { } error ? Problem.Invalid(new Fault(error, edited.Refused is { Length: > 0 } name ? $"#/{name}" : "#"))
            : edited.Endpoint is { } endpoint ? Results.Json(WebhookForm.Of(endpoint), OrdersJson.AsItIs.WebhookForm)
            : None(id);
    }

    private static async Task<IResult> Pause(HttpContext context, string id, OrderDesk desk) =>
        WebhookId.IsOne(id) && await desk.Webhook(id).Pause(context.RequestAborted) is { } endpoint
            ? Results.Json(WebhookForm.Of(endpoint), OrdersJson.AsItIs.WebhookForm)
            : None(id);

    private static async Task<IResult> Resume(HttpContext context, string id, OrderDesk desk) =>
        WebhookId.IsOne(id) && await desk.Webhook(id).Resume(context.RequestAborted) is { } endpoint
            ? Results.Json(WebhookForm.Of(endpoint), OrdersJson.AsItIs.WebhookForm)
            : None(id);

    private static async Task<IResult> Rotate(HttpContext context, string id, OrderDesk desk)
    {
        if (!WebhookId.IsOne(id) || await desk.Webhook(id).Rotate(secret: null, context.RequestAborted) is not { } rotated)
        {
            return None(id);
        }

        context.Response.Headers.CacheControl = "no-store";
        return Results.Json(new WebhookRotatedForm(id, rotated.Secret!, rotated.OldSecretUntil), OrdersJson.AsItIs.WebhookRotatedForm);
    }

    private static async Task<IResult> Enable(HttpContext context, string id, OrderDesk desk)
    {
        if (!WebhookId.IsOne(id) || await desk.Webhook(id).Enable(context.RequestAborted) is not { } endpoint)
        {
            return None(id);
        }

        var deliveries = WebhookDeliveriesForm.Of(await desk.Subscriber(WebhookForm.SubscriberOf(id), context.RequestAborted));
        return Results.Json(WebhookEnabledForm.Of(endpoint, deliveries), OrdersJson.AsItIs.WebhookEnabledForm);
    }

    private static async Task<IResult> Test(HttpContext context, string id, OrderDesk desk) =>
        WebhookId.IsOne(id) && await desk.Webhook(id).Test(context.RequestAborted) is { } tested
            ? Results.Json(WebhookTestedForm.Of(id, tested), OrdersJson.AsItIs.WebhookTestedForm)
            : None(id);

    private static Problem None(string id) => Problem.NotFound($"There is no webhook \"{(id.Length > 80 ? id[..80] + "…" : id)}\".");
}
