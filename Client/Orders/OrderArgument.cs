using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary>The order that a verb is about: its id, or how it begins.</summary>
internal static class OrderArgument
{
    public static Argument<string> Create() =>
        new("ID") { Description = "The order's id, or how it begins.", Validators = { RefuseWhatIsNoId } };

    /// <summary>Refuses, before a connection is made, what no order's id begins with.</summary>
    public static void RefuseWhatIsNoId(ArgumentResult result)
    {
        foreach (var token in result.Tokens.Where(token => !IsBeginning(token.Value)))
        {
            result.AddError(
                $"\"{token.Value}\" is no order's id, nor the beginning of one: it would look like 07-829w2xeh60vh99fzsr0fm7hmv9"
            );
        }
    }

    /// <summary>
    /// The order of this id, or the only one whose id begins so. An id's two digits name its partition, in which ids are in order, so no
    /// more than a few are read; of a shorter beginning every partition is asked. Whether there is an order of a whole id is not asked.
    /// </summary>
    /// <exception cref="ConsoleException">There is none, or there are several.</exception>
    public static async Task<OrderId> Find(OrderDesk desk, string text, CancellationToken cancel)
    {
        var partitions = await desk.Partitions(cancel);
        if (OrderId.TryParse(text, out var whole))
        {
            return whole.Partition < partitions ? whole : throw None(text);
        }

        var found = new List<string>();
        for (var partition = 0; partition < partitions && found.Count < IdPrefix.MaxCandidates; partition++)
        {
            var start = string.Create(CultureInfo.InvariantCulture, $"{partition:00}-");
            if (!(text.StartsWith(start, StringComparison.Ordinal) || start.StartsWith(text, StringComparison.Ordinal)))
            {
                continue;
            }

            // What is behind the beginning itself, in the order of ids, begins so or comes after all that do.
            OrderId? before = text.Length > start.Length ? new(text) : null;
            var lines = await desk.Audit.Orders(partition, before, IdPrefix.MaxCandidates - found.Count, cancel);
            found.AddRange(lines.Select(line => line.Order.Value).TakeWhile(id => id.StartsWith(text, StringComparison.Ordinal)));
        }

        return IdPrefix.One(text, "orders", found) is { } one ? OrderId.Parse(one) : throw None(text);
    }

    public static ConsoleException None(string text) =>
        new($"There is no order \"{Terminal.Clean(text)}\"; \"orders list\" shows those that there are.");

    private static bool IsBeginning(string text) =>
        text.Length is > 0 and <= OrderId.Length
        && OrderId.TryParse(text + $"00-{new string('0', OrderId.Length - 3)}"[text.Length..], out _);
}
