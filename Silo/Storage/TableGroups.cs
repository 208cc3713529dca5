using System.Collections.Immutable;
using Grains.Logs.Rows;
using Grains.Logs.Segments;
using Grains.Orders.Deliveries.Mail;
using Grains.Orders.Deliveries.Webhooks;
using Grains.Orders.Rows;

namespace Silo.Storage;

/// <summary>
/// What is known of tables by their names: which refer to each other's rows, and so are restored from one copy or moved away together to
/// begin anew, and for whose commits nobody waits.
/// </summary>
internal static class TableGroups
{
    private static readonly ImmutableArray<ImmutableArray<string>> Groups =
    [
        [OrderTable.Name, SubscriberTable.Name, MailTable.Name, EndpointTable.Name],
    ];

    /// <summary>Whether the table holds what is personal of customers.</summary>
    public static bool IsPersonal(string table) => Groups[0].Contains(table);

    /// <summary>
    /// Whether its commits are for what follows an order apart from the main flow, so that nobody who places or pays one waits for them.
    /// </summary>
    public static bool IsUnhurried(string table) => table is SubscriberTable.Name or MailTable.Name or EndpointTable.Name;

    /// <summary>The table itself and all that belong to it.</summary>
    public static ImmutableArray<string> Of(string table) =>
        Groups.FirstOrDefault(group => group.Contains(table)) is { IsDefault: false } group ? group : [table];

    /// <summary>What to do with a table's file that cannot be used: a sentence without its end.</summary>
    public static string Advice(string table)
    {
        var others = Of(table).Where(other => other != table).Select(other => other + SqliteTableStore.Extension).ToList();
        return table switch
        {
            DataFormat.Table => "restore the whole data folder from one copy, or move the whole folder away to begin anew",
            LogTable.Name => $"restore it from the copy that \"blobs/objects/{SegmentName.Root.TrimEnd('/')}+\" is from, or move both away "
                + $"to begin anew",
            _ when others.Count > 0 =>
                $"restore it and {string.Join(", ", others)} from one copy, or move all of them away together to begin anew, "
                    + $"for they refer to each other",
            _ => "restore it from a copy, or move it away to begin anew",
        };
    }
}
