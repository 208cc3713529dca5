using System.CommandLine;
using System.CommandLine.Parsing;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary><c>orders list</c></summary>
internal sealed class ListCommand
{
    private readonly Option<string?> _customer = new("--customer") { Description = "Only orders of this customer.", HelpName = "C" };

    private readonly Option<OrderStatus?> _status = new("--status")
    {
        Description = "Only orders that are so.",
        HelpName = string.Join('|', Enum.GetValues<OrderStatus>().Select(OrderText.Status)),
        CustomParser = ReadStatus,
    };

    private readonly Limit _limit = new("orders", aliases: "--take");

    private readonly Option<string?> _after = new("--after")
    {
        Description = "Go on where a list ended: it says with what.",
        HelpName = "CURSOR",
    };

    private ListCommand() { }

    public static Command Create(Verbs verbs)
    {
        var list = new ListCommand();
        return verbs.Read(
            new("list", "Orders, the newest first.") { list._customer, list._status, list._limit.Option, list._after },
            list.Run
        );
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var (customer, status, wanted) = (parsed.GetValue(_customer), parsed.GetValue(_status), _limit.Of(parsed));
        var desk = (await session.Cluster(cancel)).Orders;
        var (left, after) = (wanted, parsed.GetValue(_after));
        var listing = new Listing()
            .Column("id", isId: true)
            .Column("status")
            .Column("customer", wrap: true)
            .Column("total", right: true)
            .Column("placed")
            .Column("updated");
        do
        {
            var page = await desk.List.List(new(customer, status, Math.Min(left, IOrderListGrain.MaxTake), after), cancel);
            if (page.Error is { } error)
            {
                throw new ConsoleException(error, ExitCode.WrongUsage);
            }

            foreach (var order in page.Orders)
            {
                Add(session, listing, order);
            }

            (left, after) = (left - page.Orders.Length, page.After);
        } while (left > 0 && after is not null);
        End(session, listing, ListEnd.Of(wanted - left, after), isNarrow: customer is not null || status is not null);
        return ExitCode.Done;
    }

    private static void Add(Session session, Listing listing, Order order)
    {
        if (session.Json)
        {
            session.Terminal.Json(OrderForm.Of(order));
            return;
        }

        listing.Row(
            order.Id.ToString(),
            new(OrderText.Status(order.Status), OrderText.Style(order.Status)),
            order.Customer,
            OrderText.Total(order),
            OrderText.At(order.PlacedAt),
            OrderText.At(order.UpdatedAt)
        );
    }

    private static void End(Session session, Listing listing, ListEnd end, bool isNarrow)
    {
        if (end.Count == 0)
        {
            session.TellNothing(
                isNarrow ? "There is no such order." : "There are no orders. Place one with: orders place --customer ann --line tea:2:450"
            );
        }
        else if (!session.Json)
        {
            listing.WriteTo(session.Terminal);
        }

        session.End(end, "orders");
    }

    private static OrderStatus? ReadStatus(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (!char.IsAsciiDigit(text[0]) && Enum.TryParse<OrderStatus>(text, ignoreCase: true, out var status) && Enum.IsDefined(status))
        {
            return status;
        }

        result.AddError($"--status is {string.Join(", ", Enum.GetValues<OrderStatus>().Select(OrderText.Status))}; this is \"{text}\"");
        return null;
    }
}
