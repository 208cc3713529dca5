using Google.Protobuf.WellKnownTypes;
using Grains.Interfaces.Orders;
using Silo.Orders.Wire;

namespace Silo.Orders;

/// <summary>Orders as gRPC's messages.</summary>
internal static class OrderMessages
{
    public static OrderState Of(Order order)
    {
        var message = new OrderState
        {
            Id = order.Id.Value,
            Version = order.Version,
            Status = order.Status.ToString().ToLowerInvariant(),
            Customer = order.Customer,
            Currency = order.Currency,
            Total = order.Total,
            PayBefore = order.PayBefore?.ToTimestamp(),
            PlacedAt = order.PlacedAt.ToTimestamp(),
            UpdatedAt = order.UpdatedAt.ToTimestamp(),
        };
        message.Lines.Add(
            order.Lines.Select(line => new OrderState.Types.Line
            {
                Sku = line.Sku,
                Quantity = line.Quantity,
                Price = line.Price,
            })
        );
        if (order.Notes is { } notes)
        {
            message.Notes = notes;
        }

        if (order.Email is { } email)
        {
            message.Email = email;
        }

        if (order.Language is { } language)
        {
            message.Language = language;
        }

        if (order.Reason is { } reason)
        {
            message.Reason = reason;
        }

        return message;
    }

    public static PlaceOrder Of(PlaceRequest request, DateTimeOffset deadline) =>
        new()
        {
            Customer = request.Customer,
            Currency = request.Currency,
            Lines = [.. request.Lines.Select(line => new OrderLine(line.Sku, line.Quantity, line.Price))],
            Notes = request.HasNotes ? request.Notes : null,
            Email = request.HasEmail ? request.Email : null,
            Language = request.HasLanguage ? request.Language : null,
            PayBefore = request.PayBefore?.ToDateTimeOffset(),
            Deadline = deadline,
        };
}
