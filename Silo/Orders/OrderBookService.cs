using Grains;
using Grains.Interfaces.Keys;
using Grains.Interfaces.Orders;
using Grains.Orders.Feed;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Silo.Middleware;
using Silo.Orders.Wire;

namespace Silo.Orders;

/// <summary>Orders over gRPC: <c>orders.proto</c> says what is promised.</summary>
public sealed class OrderBookService(OrderDesk desk, [FromKeyedServices(Clocks.Guards)] TimeProvider guards) : OrderBook.OrderBookBase
{
    /// <summary>The trailer with the word for a refusal.</summary>
    public const string Refusal = "refusal";

    private const int UsualTake = 50;

    /// <summary>The rules of its methods for the chain: who may, and what is done once per key.</summary>
    public static void Map(WebApplication app) =>
        app.MapGrpcService<OrderBookService>()
            .Add(endpoint =>
            {
                var changes = endpoint.Metadata.OfType<GrpcMethodMetadata>().FirstOrDefault()?.Method.Name is nameof(Place) or nameof(Take);
                endpoint.Metadata.Add(new Needs(changes ? ApiRole.Writer : ApiRole.Reader));
                if (changes)
                {
                    endpoint.Metadata.Add(new OncePerKey());
                }
            });

    public override async Task<OrderState> Place(PlaceRequest request, ServerCallContext context)
    {
        PlaceOrder order;
        try
        {
            order = OrderMessages.Of(request, Deadline(context));
        }
        catch (InvalidOperationException)
        {
            throw Wrong("\"pay_before\" is no time that there is: its seconds or nanoseconds are out of range.");
        }

        return OrderMessages.Of(Taken(await desk.Place(Idempotency.KeyOf(context.GetHttpContext()), order, context.CancellationToken)));
    }

    public override async Task<OrderState> Take(TakeRequest request, ServerCallContext context)
    {
        var step = request.Step switch
        {
            TakeRequest.Types.Step.Pay => OrderStep.Pay,
            TakeRequest.Types.Step.Ship => OrderStep.Ship,
            TakeRequest.Types.Step.Complete => OrderStep.Complete,
            TakeRequest.Types.Step.Cancel => OrderStep.Cancel,
            TakeRequest.Types.Step.Refund => OrderStep.Refund,
            _ => throw Wrong("\"step\" is one of STEP_PAY, STEP_SHIP, STEP_COMPLETE, STEP_CANCEL, STEP_REFUND."),
        };
        var id = await OrderRoutes.Known(request.OrderId, desk, context.CancellationToken) ?? throw None(request.OrderId);
        var key = Idempotency.KeyOf(context.GetHttpContext()).StepId;
        return OrderMessages.Of(
            Taken(
                await desk.Order(id)
                    .Take(
                        new(step, key, request.HasExpectedVersion ? request.ExpectedVersion : null, Deadline(context)),
                        context.CancellationToken
                    )
            )
        );
    }

    public override async Task<OrderState> Show(ShowRequest request, ServerCallContext context) =>
        await OrderRoutes.Known(request.OrderId, desk, context.CancellationToken) is { } id
        && await desk.Order(id).Show(context.CancellationToken) is { } order
            ? OrderMessages.Of(order)
            : throw None(request.OrderId);

    public override async Task<ListReply> List(ListRequest request, ServerCallContext context)
    {
        var status = request.HasStatus
            ? OrderRoutes.StatusOf(request.Status) ?? throw Wrong(OrderRoutes.WrongStatus(request.Status))
            : (OrderStatus?)null;
        var page = await desk.List.List(
            new(
                request.HasCustomer ? request.Customer : null,
                status,
                request.HasTake ? request.Take : UsualTake,
                request.After is "" ? null : request.After
            ),
            context.CancellationToken
        );
        if (page.Error is { } error)
        {
            throw Wrong(error);
        }

        var reply = new ListReply { After = page.After ?? "" };
        reply.Orders.Add(page.Orders.Select(OrderMessages.Of));
        return reply;
    }

    private static Order Taken(OrderReply reply)
    {
        if (reply.Refusal == OrderRefusal.None)
        {
            return reply.Order!;
        }

        var code = reply.Refusal switch
        {
            OrderRefusal.Invalid => StatusCode.InvalidArgument,
            OrderRefusal.NotFound => StatusCode.NotFound,
            OrderRefusal.KeyReused => StatusCode.AlreadyExists,
            OrderRefusal.Stale or OrderRefusal.InFlight => StatusCode.Aborted,
            OrderRefusal.Expired => StatusCode.DeadlineExceeded,
            OrderRefusal.Busy => StatusCode.Unavailable,
            _ => StatusCode.FailedPrecondition,
        };
        var detail = reply.Refusal == OrderRefusal.Invalid ? string.Join(' ', reply.Faults.Select(fault => fault.Detail)) : reply.Detail!;
        throw new RpcException(new(code, detail), new Metadata { { Refusal, OrderFeed.Reason(reply.Refusal) } });
    }

    /// <summary>The caller's own, if that is sooner.</summary>
    private DateTimeOffset Deadline(ServerCallContext context)
    {
        var patience = guards.GetUtcNow() + OrderRoutes.Patience;
        return context.Deadline < patience.UtcDateTime ? new(context.Deadline) : patience;
    }

    private static RpcException Wrong(string detail) => new(new(StatusCode.InvalidArgument, detail));

    private static RpcException None(string id) =>
        new(new(StatusCode.NotFound, OrderRoutes.NoOrder(id)), new Metadata { { Refusal, OrderFeed.Reason(OrderRefusal.NotFound) } });
}
