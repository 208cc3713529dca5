using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Grains;
using Grains.Interfaces.Keys;
using Grains.Interfaces.Orders;
using Microsoft.Net.Http.Headers;
using Silo.Middleware;

namespace Silo.Orders;

/// <summary>Orders over HTTP.</summary>
public static class OrderRoutes
{
    /// <summary>
    /// A step that has not begun after this is not begun any more: the calls of grains behind the doors are given up a little later.
    /// </summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    private const int UsualTake = 50;

    public static void MapOrders(this WebApplication app)
    {
        app.Services.GetService<DeliveryMetrics>(); // Its instruments are there from now on.
        var orders = app.MapGroup("/api/orders").WithTags("orders");
        orders
            .MapPost("", Place)
            .WithName("placeOrder")
            .For(ApiRole.Writer)
            .TakesIdempotencyKey()
            .Takes(OrdersJson.Default.PlaceOrderForm, PlaceOrderForm.MaxBytes)
            .WithSummary(
                "Places an order. Prices are in the currency's minor unit. The same Idempotency-Key places one order, however "
                    + "often it is asked."
            )
            .Produces<OrderForm>(StatusCodes.Status201Created);
        orders
            .MapGet("", List)
            .WithName("listOrders")
            .DescribesChoice("status", null, Enum.GetNames<OrderStatus>().Select(JsonNamingPolicy.CamelCase.ConvertName))
            .DescribesNumber("take", 1, IOrderListGrain.MaxTake)
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery("customer", "status", "take", "after"))
            .WithSummary(
                "Orders by customer, status, both or all, the newest first. A page may have fewer than asked for; \"after\" of "
                    + "the last one leads on until it is null."
            )
            .Produces<OrderListForm>();
        orders
            .MapGet("{id}", Show)
            .WithName("showOrder")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery())
            .DescribesHeader("If-None-Match", "The version that is known already, as the ETag gave it: 304 when it still is.")
            .WithSummary("One order; its version is the ETag.")
            .Produces<OrderForm>()
            .Produces(StatusCodes.Status304NotModified);
        orders.MapSubscribers();
        orders.MapMail();
        orders.MapWebhooks();
        Step(orders, OrderStep.Pay, "A placed order is paid.");
        Step(orders, OrderStep.Ship, "A paid order is shipped.");
        Step(orders, OrderStep.Complete, "A shipped order is completed.");
        Step(orders, OrderStep.Cancel, "A placed or paid order is cancelled.");
        Step(orders, OrderStep.Refund, "A paid, shipped or completed order is refunded.");
    }

    private static void Step(RouteGroupBuilder orders, OrderStep step, string summary) =>
        orders
            .MapPost(
                $"{{id}}/{step.ToString().ToLowerInvariant()}",
                (HttpContext context, string id, OrderDesk desk, [FromKeyedServices(Clocks.Guards)] TimeProvider guards) =>
                    Take(context, id, step, desk, guards)
            )
            .WithName($"{step.ToString().ToLowerInvariant()}Order")
            .Refuses(StatusCodes.Status404NotFound, StatusCodes.Status409Conflict, StatusCodes.Status412PreconditionFailed)
            .For(ApiRole.Writer)
            .TakesIdempotencyKey()
            .DescribesHeader(
                "If-Match",
                "The versions that the step is meant for, as ETags give them: one, or a list; \"*\" or none for any."
            )
            .WithMetadata(new TakesQuery())
            .WithSummary(
                $"{summary} If-Match may name the version that it is meant for. A step already taken under the same "
                    + $"Idempotency-Key answers as it did, before that is looked at."
            )
            .Produces<OrderForm>();

    private static async Task<IResult> Place(HttpContext context, OrderDesk desk, [FromKeyedServices(Clocks.Guards)] TimeProvider guards)
    {
        if (ITakesBody.BodyOf<PlaceOrderForm>(context).TryRead(guards.GetUtcNow() + Patience, out var order) is { Count: > 0 } faults)
        {
            return Problem.Invalid(faults);
        }

        var reply = await desk.Place(Idempotency.KeyOf(context), order, context.RequestAborted);
        if (reply.Refusal != OrderRefusal.None)
        {
            return OrderAnswer.Refused(context, reply);
        }

        context.Response.Headers.Location = $"/api/orders/{reply.Order!.Id}";
        return OrderAnswer.Of(context, reply.Order, StatusCodes.Status201Created);
    }

    private static async Task<IResult> Take(HttpContext context, string id, OrderStep step, OrderDesk desk, TimeProvider guards)
    {
        if (!TryReadIfMatch(context.Request, out var versions))
        {
            return Problem.Invalid(new Fault("If-Match names versions as ETags give them, such as \"3\" or \"3\", \"4\", or is *."));
        }

        if (await Known(id, desk, context.RequestAborted) is not { } orderId)
        {
            return None(id);
        }

        var reply = await desk.Order(orderId)
            .Take(
                new(step, Idempotency.KeyOf(context).StepId, versions is [var first, ..] ? first : null, guards.GetUtcNow() + Patience)
                {
                    OtherVersions = versions is [_, .. var others] ? others : [],
                },
                context.RequestAborted
            );
        return reply.Refusal == OrderRefusal.None ? OrderAnswer.Of(context, reply.Order!) : OrderAnswer.Refused(context, reply);
    }

    private static async Task<IResult> Show(HttpContext context, string id, OrderDesk desk)
    {
        if (
            await Known(id, desk, context.RequestAborted) is not { } orderId
            || await desk.Order(orderId).Show(context.RequestAborted) is not { } order
        )
        {
            return None(id);
        }

        if (IsKnown(context.Request, OrderAnswer.Tag(order)))
        {
            context.Response.Headers.ETag = OrderAnswer.Tag(order);
            return Results.StatusCode(StatusCodes.Status304NotModified);
        }

        return OrderAnswer.Of(context, order);
    }

    private static async Task<IResult> List(
        HttpContext context,
        OrderDesk desk,
        string? customer = null,
        string? status = null,
        string? take = null,
        string? after = null
    )
    {
        var faults = new List<Fault>();
        OrderStatus? wanted = null;
        if (status is not null)
        {
            wanted = StatusOf(status);
            if (wanted is null)
            {
                faults.Add(new(WrongStatus(status), Parameter: "status"));
            }
        }

        var count = UsualTake;
        if (
            take is not null
            && !(
                int.TryParse(take, NumberStyles.None, CultureInfo.InvariantCulture, out count)
                && count is >= 1 and <= IOrderListGrain.MaxTake
            )
        )
        {
            faults.Add(new($"\"take\" is 1 to {IOrderListGrain.MaxTake}; this is \"{take}\".", Parameter: "take"));
        }

        if (faults is not [])
        {
            return Problem.Invalid(faults);
        }

        var page = await desk.List.List(new(customer, wanted, count, after), context.RequestAborted);
        return page.Error is { } error
            ? Problem.Invalid(new Fault(error, Parameter: "after"))
            : Results.Json(new OrderListForm([.. page.Orders.Select(OrderForm.Of)], page.After), OrdersJson.AsItIs.OrderListForm);
    }

    /// <summary>Null for what is no id, or one of a partition that there is none of: nobody is asked for those.</summary>
    internal static async ValueTask<OrderId?> Known(string id, OrderDesk desk, CancellationToken cancel) =>
        OrderId.TryParse(id, out var orderId) && orderId.Partition < await desk.Partitions(cancel) ? orderId : null;

    internal static OrderStatus? StatusOf(string text) =>
        Enum.GetValues<OrderStatus>()
            .Cast<OrderStatus?>()
            .FirstOrDefault(known => known.ToString()!.Equals(text, StringComparison.OrdinalIgnoreCase));

    internal static string WrongStatus(string text) =>
        $"\"status\" is {string.Join(", ", Enum.GetNames<OrderStatus>().Select(name => name.ToLowerInvariant()))}; this is \"{text}\".";

    internal static string NoOrder(string id) => $"There is no order \"{(id.Length > 80 ? id[..80] + "…" : id)}\".";

    /// <summary>
    /// RFC 9110 §13.1.1: none without the header or for <c>*</c>, which every order matches; else the versions that its strong tags name. A
    /// tag that no order has names version 0, which no order has either.
    /// </summary>
    private static bool TryReadIfMatch(HttpRequest request, out ImmutableArray<long> versions)
    {
        versions = [];
        if (request.Headers.IfMatch.Count == 0)
        {
            return true;
        }

        if (!EntityTagHeaderValue.TryParseStrictList(request.Headers.IfMatch, out var tags) || tags.Count == 0)
        {
            return false;
        }

        if (tags.Any(tag => tag.Equals(EntityTagHeaderValue.Any)))
        {
            return tags.Count == 1;
        }

        versions = [.. tags.Select(VersionOf)];
        return true;
    }

    private static long VersionOf(EntityTagHeaderValue tag) =>
        !tag.IsWeak && long.TryParse(tag.Tag.AsSpan()[1..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : 0;

    /// <summary>RFC 9110 §13.1.2: whoever asks has this version already. Weak tags count as well.</summary>
    private static bool IsKnown(HttpRequest request, string tag) =>
        EntityTagHeaderValue.TryParseList(request.Headers.IfNoneMatch, out var known)
        && known.Any(one => one.Equals(EntityTagHeaderValue.Any) || one.Compare(new(tag), useStrongComparison: false));

    private static Problem None(string id) => Problem.NotFound(NoOrder(id));
}
