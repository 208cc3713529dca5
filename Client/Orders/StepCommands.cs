using System.CommandLine;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary><c>orders pay|ship|complete|cancel|refund ID</c></summary>
internal static class StepCommands
{
    public static Command Pay(Verbs verbs) => Step(verbs, OrderStep.Pay, "A placed order is paid.");

    public static Command Ship(Verbs verbs) => Step(verbs, OrderStep.Ship, "A paid order is shipped.");

    public static Command Complete(Verbs verbs) => Step(verbs, OrderStep.Complete, "A shipped order is completed.");

    public static Command Cancel(Verbs verbs) => Step(verbs, OrderStep.Cancel, "A placed or paid order is cancelled.");

    public static Command Refund(Verbs verbs) => Step(verbs, OrderStep.Refund, "A paid, shipped or completed order is refunded.");

    private static Command Step(Verbs verbs, OrderStep step, string description)
    {
        var id = OrderArgument.Create();
        var version = new Option<long?>("--version") { Description = "Only if the order has this version.", HelpName = "N" };
        var key = new Option<string?>("--key") { Description = "The same key takes one step, however often it is asked.", HelpName = "K" };
        return verbs.Act(new(step.ToString().ToLowerInvariant(), description) { id, version, key }, async (session, parsed, cancel) =>
        {
            var request = new StepRequest(step, OrderText.Key(parsed.GetValue(key)).StepId, parsed.GetValue(version));
            var desk = (await session.Cluster(cancel)).Orders;
            var order = OrderText.Taken(
                await desk.Order(await OrderArgument.Find(desk, parsed.GetRequiredValue(id), cancel)).Take(request, cancel)
            );
            session.Tell(
                OrderForm.Of(order),
                $"Order {order.Id} is {OrderText.Status(order.Status)}, at version {order.Version}.",
                order.Id.Value
            );

            return ExitCode.Done;
        });
    }
}
