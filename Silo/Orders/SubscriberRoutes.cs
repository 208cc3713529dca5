using System.Globalization;
using System.Text.Json;
using Grains.Interfaces.Keys;
using Grains.Interfaces.Orders;
using Silo.Middleware;

namespace Silo.Orders;

/// <summary>Subscribers, their dead letters, the audit and erasures over HTTP.</summary>
public static class SubscriberRoutes
{
    private const int UsualTake = 50;

    internal static void MapSubscribers(this RouteGroupBuilder orders)
    {
        orders
            .MapGet("subscribers", List)
            .WithName("listSubscribers")
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery())
            .WithSummary("Who wants to know of changes: how far each is, what waits, what is dead.")
            .Produces<SubscriberListForm>();
        orders
            .MapDelete("subscribers/{name}", Remove)
            .WithName("removeSubscriber")
            .Refuses(StatusCodes.Status409Conflict)
            .Produces(StatusCodes.Status204NoContent)
            .For(ApiRole.Operator)
            .WithMetadata(new TakesQuery())
            .WithSummary("Removes a subscriber that no silo runs any more, with all that was kept of it.");
        orders
            .MapGet("dead-letters", Letters)
            .WithName("listDeadLetters")
            .DescribesNumber("take", 1, ISubscriberGrain.MaxTake)
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery("subscriber", "reason", "take", "after"))
            .WithSummary("Changes that a subscriber could not handle, for good. How many there are by reason, the subscribers tell.")
            .Produces<DeadLetterListForm>();
        orders
            .MapGet("dead-letters/{subscriber}/{partition}/{revision}", Letter)
            .WithName("showDeadLetter")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery())
            .WithSummary("One dead letter, and what was tried.")
            .Produces<DeadLetterForm>();
        orders
            .MapPost(
                "dead-letters/replay",
                (
                    HttpContext context,
                    OrderDesk desk,
                    string? id = null,
                    string? subscriber = null,
                    string? reason = null,
                    string? all = null
                ) => Each(context, id, subscriber, reason, all, desk.Subscribers.Replay)
            )
            .WithName("replayDeadLetters")
            .DescribesChoice("all", null, "true")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Operator)
            .WithMetadata(new TakesQuery("id", "subscriber", "reason", "all"))
            .WithSummary(
                "Hands dead letters to their subscribers again: one (\"id\"), by \"subscriber\" or \"reason\" or both, "
                    + "or \"all=true\"."
            )
            .Produces<DeadLettersDoneForm>();
        orders
            .MapPost(
                "dead-letters/discard",
                (
                    HttpContext context,
                    OrderDesk desk,
                    string? id = null,
                    string? subscriber = null,
                    string? reason = null,
                    string? all = null
                ) => Each(context, id, subscriber, reason, all, desk.Subscribers.Discard)
            )
            .WithName("discardDeadLetters")
            .DescribesChoice("all", null, "true")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Operator)
            .WithMetadata(new TakesQuery("id", "subscriber", "reason", "all"))
            .WithSummary("Removes dead letters for good; which, as for replay.")
            .Produces<DeadLettersDoneForm>();
        orders
            .MapGet("audit/head", Head)
            .WithName("showAuditHead")
            .Produces<JsonElement>()
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery())
            .WithSummary(
                "The audit as it is now: size and root of every partition, signed. Keep it elsewhere, and hold the data to it later."
            );
        orders
            .MapGet("audit/key", Key)
            .WithName("showAuditKey")
            .Streams("application/x-pem-file")
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery())
            .WithSummary("The public key of the audit's heads, in PEM.");
        orders
            .MapGet("{id}/audit", Proof)
            .WithName("proveOrder")
            .Refuses(StatusCodes.Status404NotFound)
            .Produces<JsonElement>()
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery())
            .WithSummary("All that was recorded of an order: entries, inclusion proofs, and the signed head that they lead to.");
        orders
            .MapGet("{id}/deliveries", Deliveries)
            .WithName("listDeliveries")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery())
            .WithSummary(
                "What became of telling others of an order's changes: who, what was tried, when, with what outcome, what comes next."
            )
            .Produces<DeliveryListForm>();
        orders
            .MapGet("{id}/timeline", Timeline)
            .WithName("showTimeline")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery())
            .WithSummary(
                "What happened to an order in its order: changes, each try to tell somebody with what was answered (1 KiB), audit."
            )
            .Produces<TimelineForm>();
        orders
            .MapPost("deliveries/resend", Resend)
            .WithName("resendDeliveries")
            .Refuses(StatusCodes.Status404NotFound, StatusCodes.Status409Conflict)
            .For(ApiRole.Operator)
            .Takes(OrdersJson.Default.ResendForm, ResendForm.MaxBytes)
            .WithSummary(
                "Makes deliveries once more that were made, under the same webhook-id: those of an \"order\", of one \"version\" or to one "
                    + "\"subscriber\" of it, or all of a subscriber \"since\" a time. \"after\" of an answer goes on where as many wait "
                    + "as may."
            )
            .Produces<ResentForm>();
        orders
            .MapPost("audit/consistency", Consistency)
            .WithName("proveConsistency")
            .Produces<JsonElement>()
            .For(ApiRole.Reader)
            .Takes(OrdersJson.Default.AskConsistencyForm, AskConsistencyForm.MaxBytes)
            .WithSummary(
                "Proves that what an \"older\" head signs for is the beginning of what a \"newer\" one, or one of now, signs for."
            );
        orders
            .MapGet("audit/checkpoints", Checkpoints)
            .WithName("listCheckpoints")
            .DescribesNumber("partition", 0, int.MaxValue)
            .Streams("text/plain")
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery("partition"))
            .WithSummary("The audit as it is now in the form of C2SP's tlog-checkpoint: a signed note for each partition, or for one.")
            .Produces<CheckpointListForm>();
        orders
            .MapPost("erase", Erase)
            .WithName("eraseCustomer")
            .For(ApiRole.Operator)
            .Takes(OrdersJson.Default.EraseForm, maxBytes: 4096)
            .WithSummary(
                "Erases what is personal of a customer's orders: name, e-mail address, language, notes, in the files of the "
                    + "store too. Orders, books and proofs stay."
            )
            .Produces<ErasedForm>();
    }

    private static async Task<IResult> List(HttpContext context, OrderDesk desk) =>
        Results.Json(
            new SubscriberListForm(SubscriberForm.Of(await desk.Subscribers.List(context.RequestAborted))),
            OrdersJson.AsItIs.SubscriberListForm
        );

    private static async Task<IResult> Remove(HttpContext context, string name, OrderDesk desk) =>
        await desk.Subscribers.Remove(name, context.RequestAborted) is { } error
            ? new Problem(StatusCodes.Status409Conflict, error)
            : Results.NoContent();

    private static async Task<IResult> Letters(
        HttpContext context,
        OrderDesk desk,
        string? subscriber = null,
        string? reason = null,
        string? take = null,
        string? after = null
    )
    {
        var faults = new List<Fault>();
        var count = UsualTake;
        if (
            take is not null
            && !(
                int.TryParse(take, NumberStyles.None, CultureInfo.InvariantCulture, out count)
                && count is >= 1 and <= ISubscriberGrain.MaxTake
            )
        )
        {
            faults.Add(new($"\"take\" is 1 to {ISubscriberGrain.MaxTake}; this is \"{take}\".", Parameter: "take"));
        }

        DeadLetterId last = default;
        if (after is not null && !DeadLetterId.TryParse(after, out last))
        {
            faults.Add(new("\"after\" is what an answer before gave, such as mail/3/1f.", Parameter: "after"));
        }

        if (faults is not [])
        {
            return Problem.Invalid(faults);
        }

        var page = await desk.Subscribers.DeadLetters(new(subscriber, reason, count, after is null ? null : last), context.RequestAborted);
        return Results.Json(
            new DeadLetterListForm([.. page.Letters.Select(DeadLetterForm.Of)], page.After?.ToString()),
            OrdersJson.AsItIs.DeadLetterListForm
        );
    }

    private static async Task<IResult> Letter(HttpContext context, string subscriber, string partition, string revision, OrderDesk desk)
    {
        var text = $"{subscriber}/{partition}/{revision}";
        return DeadLetterId.TryParse(text, out var id) && await desk.Subscribers.DeadLetter(id, context.RequestAborted) is { } letter
            ? Results.Json(DeadLetterForm.Of(letter), OrdersJson.AsItIs.DeadLetterForm)
            : None(text);
    }

    private static async Task<IResult> Each(
        HttpContext context,
        string? id,
        string? subscriber,
        string? reason,
        string? all,
        Func<DeadLetterFilter, string, CancellationToken, Task<DeadLetterReply>> act
    )
    {
        DeadLetterId one = default;
        if (
            (id is not null, subscriber is not null || reason is not null, all is not null)
                is not ((true, false, false) or (false, true, false) or (false, false, true))
            || all is not (null or "true")
        )
        {
            return Problem.Invalid(new Fault("Say which: \"id\", or \"subscriber\" or \"reason\" or both, or \"all=true\"."));
        }

        if (id is not null && !DeadLetterId.TryParse(id, out one))
        {
            return None(id);
        }

        var reply = await act(new(id is null ? null : one, subscriber, reason), Caller.Of(context).Name, context.RequestAborted);
        return id is not null && reply.Count == 0
            ? None(id)
            : Results.Json(new DeadLettersDoneForm(reply.Count, reply.Left), OrdersJson.AsItIs.DeadLettersDoneForm);
    }

    private static async Task<IResult> Head(HttpContext context, OrderDesk desk) =>
        Results.Text(await desk.AuditHeads.Head(context.RequestAborted), "application/json");

    private static async Task<IResult> Key(HttpContext context, OrderDesk desk) =>
        Results.Text(await desk.AuditHeads.PublicKey(context.RequestAborted), "application/x-pem-file");

    private static async Task<IResult> Proof(HttpContext context, string id, OrderDesk desk) =>
        await OrderRoutes.Known(id, desk, context.RequestAborted) is { } order
        && await desk.Audit.Proof(order, context.RequestAborted) is { } proof
            ? Results.Text(proof, "application/json")
            : Problem.NotFound($"Nothing is recorded of an order \"{(id.Length > 80 ? id[..80] + "…" : id)}\".");

    private static async Task<IResult> Deliveries(HttpContext context, string id, OrderDesk desk) =>
        await OrderRoutes.Known(id, desk, context.RequestAborted) is { } order
        && await desk.Order(order).Show(context.RequestAborted) is not null
            ? Results.Json(
                DeliveryListForm.Of(order.Value, await desk.Subscribers.Deliveries(order, context.RequestAborted)),
                OrdersJson.AsItIs.DeliveryListForm
            )
            : Problem.NotFound(OrderRoutes.NoOrder(id));

    private static async Task<IResult> Timeline(HttpContext context, string id, OrderDesk desk) =>
        await OrderRoutes.Known(id, desk, context.RequestAborted) is { } order
        && await desk.Subscribers.Timeline(order, context.RequestAborted) is { } timeline
            ? Results.Json(TimelineForm.Of(timeline), OrdersJson.AsItIs.TimelineForm)
            : Problem.NotFound(OrderRoutes.NoOrder(id));

    private static async Task<IResult> Resend(HttpContext context, OrderDesk desk)
    {
        var form = ITakesBody.BodyOf<ResendForm>(context);
        OrderId? order = null;
        if (form.Order is { } id)
        {
            order = await OrderRoutes.Known(id, desk, context.RequestAborted);
            if (order is null || await desk.Order(order.Value).Show(context.RequestAborted) is null)
            {
                return Problem.NotFound(OrderRoutes.NoOrder(id));
            }
        }

        var what = new ResendDeliveries(form.Subscriber, order, form.Version, form.Since, form.After);
        if (what.Fault() is { } fault)
        {
            return Problem.Invalid(new Fault(fault, "#"));
        }

        var reply = await desk.Subscribers.Resend(what, Caller.Of(context).Name, context.RequestAborted);
        return reply.Error is { } error
            ? new Problem(StatusCodes.Status409Conflict, error)
            : Results.Json(new ResentForm(reply.Count, reply.Gone, reply.After), OrdersJson.AsItIs.ResentForm);
    }

    private static async Task<IResult> Consistency(HttpContext context, OrderDesk desk)
    {
        var form = ITakesBody.BodyOf<AskConsistencyForm>(context);
        var newer = form.Newer is { ValueKind: not JsonValueKind.Null } head ? head.GetRawText() : null;
        var proof = await desk.Audit.Consistency(form.Older.GetRawText(), newer, context.RequestAborted);
        return proof.Text is { } text ? Results.Text(text, "application/json") : Problem.Invalid(new Fault(proof.Error!, "#"));
    }

    private static async Task<IResult> Checkpoints(HttpContext context, OrderDesk desk, string? partition = null)
    {
        var notes = await desk.AuditHeads.Checkpoints(context.RequestAborted);
        if (partition is null)
        {
            return Results.Json(new CheckpointListForm(notes), OrdersJson.AsItIs.CheckpointListForm);
        }

        return int.TryParse(partition, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < notes.Length
            ? Results.Text(notes[number], "text/plain; charset=utf-8")
            : Problem.Invalid(new Fault($"Partitions are 0 to {notes.Length - 1}; this is \"{partition}\".", Parameter: "partition"));
    }

    private static async Task<IResult> Erase(HttpContext context, OrderDesk desk)
    {
        var reply = await desk.Subscribers.Erase(ITakesBody.BodyOf<EraseForm>(context).Customer, context.RequestAborted);
        return reply.Error is { } error
            ? new Problem(StatusCodes.Status503ServiceUnavailable, error)
            : Results.Json(new ErasedForm(reply.Orders, reply.Changes, reply.FilesCleaned), OrdersJson.AsItIs.ErasedForm);
    }

    private static Problem None(string id) => Problem.NotFound($"There is no dead letter \"{(id.Length > 80 ? id[..80] + "…" : id)}\".");
}
