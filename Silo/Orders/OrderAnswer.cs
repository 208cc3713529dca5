using System.Globalization;
using Grains.Interfaces.Orders;
using Silo.Middleware;

namespace Silo.Orders;

/// <summary>What became of a step, in the terms of HTTP (RFC 9110): the version is the entity tag.</summary>
internal static class OrderAnswer
{
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(1);

    /// <summary>The order at its version.</summary>
    public static IResult Of(HttpContext context, Order order, int status = StatusCodes.Status200OK)
    {
        context.Response.Headers.ETag = Tag(order);
        return Results.Json(OrderForm.Of(order), OrdersJson.AsItIs.OrderForm, statusCode: status);
    }

    public static string Tag(Order order) => string.Create(CultureInfo.InvariantCulture, $"\"{order.Version}\"");

    /// <summary>Why a step was refused; the order as it is goes along as its entity tag.</summary>
    public static Problem Refused(HttpContext context, OrderReply reply)
    {
        if (reply.Order is { } order)
        {
            context.Response.Headers.ETag = Tag(order);
        }

        return Problem(reply);
    }

    public static Problem Problem(OrderReply reply) =>
        reply.Refusal switch
        {
            OrderRefusal.Invalid => Middleware.Problem.Invalid(reply.Faults.Select(fault => new Fault(fault.Detail, "#" + fault.At))),
            OrderRefusal.NotFound => Middleware.Problem.NotFound(reply.Detail!),
            OrderRefusal.WrongState or OrderRefusal.TooLate => new(StatusCodes.Status409Conflict, reply.Detail!),
            OrderRefusal.Stale => new(StatusCodes.Status412PreconditionFailed, reply.Detail!),
            OrderRefusal.KeyReused => new(StatusCodes.Status422UnprocessableEntity, reply.Detail!),
            OrderRefusal.InFlight => new(StatusCodes.Status409Conflict, reply.Detail!, RetryAfter: AskAgainAfter),
            OrderRefusal.Expired or OrderRefusal.Busy => new(
                StatusCodes.Status503ServiceUnavailable,
                reply.Detail!,
                RetryAfter: AskAgainAfter
            ),
            _ => throw new ArgumentOutOfRangeException(nameof(reply), reply.Refusal, "No refusal."),
        };
}
