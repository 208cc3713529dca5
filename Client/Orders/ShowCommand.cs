using System.CommandLine;
using System.Globalization;
using Client.Values;
using Grains.Interfaces.Orders;
using Grains.Interfaces.Values;

namespace Client.Orders;

/// <summary><c>orders show ID</c></summary>
internal static class ShowCommand
{
    public static Command Create(Verbs verbs)
    {
        var id = OrderArgument.Create();
        return verbs.Read(new("show", "One order, as it is.") { id }, (session, parsed, cancel) =>
            Run(session, parsed.GetRequiredValue(id), cancel)
        );
    }

    private static async Task<int> Run(Session session, string text, CancellationToken cancel)
    {
        var desk = (await session.Cluster(cancel)).Orders;
        var order = await desk.Order(await OrderArgument.Find(desk, text, cancel)).Show(cancel) ?? throw OrderArgument.None(text);
        if (session.Json)
        {
            session.Terminal.Json(OrderForm.Of(order));
            return ExitCode.Done;
        }

        var facts = new Facts()
            .Add("id", order.Id.ToString())
            .Add("status", OrderText.Status(order.Status), OrderText.Style(order.Status))
            .Add("why", order.Reason == Order.NotPaidInTime ? "it was not paid in time" : order.Reason)
            .Add("version", order.Version.ToString(CultureInfo.InvariantCulture))
            .Add("customer", order.Customer)
            .Add("e-mail", order.Email)
            .Add("language", order.Language)
            .Add("total", OrderText.Total(order));
        foreach (var line in order.Lines)
        {
            facts.Add("line", $"{line.Sku}  {Counts.Format(line.Quantity)} × {Amounts.Format(line.Price, order.Currency)}");
        }

        facts
            .Add("notes", order.Notes)
            .Add("pay before", order.PayBefore is { } due ? OrderText.At(due) : null)
            .Add("placed", OrderText.At(order.PlacedAt))
            .Add("updated", OrderText.At(order.UpdatedAt))
            .WriteTo(session.Terminal);
        return ExitCode.Done;
    }
}
