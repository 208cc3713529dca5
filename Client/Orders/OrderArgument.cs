using System.CommandLine;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary>The order that a verb is about.</summary>
internal static class OrderArgument
{
    public static Argument<string> Create() => new("ID") { Description = "The order's id." };

    /// <exception cref="ConsoleException">It is none by its form, or one of a partition that there is none of: nobody needs to be
    /// asked.</exception>
    public static async Task<OrderId> Read(OrderDesk desk, string text, CancellationToken cancel) =>
        OrderId.TryParse(text, out var id) && id.Partition < await desk.Partitions(cancel) ? id : throw None(text);

    public static ConsoleException None(string text) =>
        new($"There is no order \"{Terminal.Clean(text)}\"; \"orders list\" shows those that there are.");
}
