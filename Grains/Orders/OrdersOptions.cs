using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Grains.Interfaces.Orders;

namespace Grains.Orders;

/// <summary>What is set from outside for orders, for the whole silo.</summary>
public sealed class OrdersOptions
{
    public const string Section = "Orders";

    [Description(
        "Partitions of orders in the cluster: each has one writer, and commits by itself. Stored at the first start; another "
            + "number later stops the silo."
    )]
    [Range(1, OrderId.MaxPartitions)]
    public int Partitions { get; set; } = 8;

    [Description(
        "How long changes are kept for subscribers and watches. What a listed subscriber has yet to read is kept longer; orders "
            + "themselves are kept for ever."
    )]
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan KeepChanges { get; set; } = TimeSpan.FromDays(30);

    [Description(
        "How long what became of deliveries (mail, webhooks) is kept for \"orders deliveries\". The audit keeps each outcome for ever."
    )]
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan KeepDeliveries { get; set; } = TimeSpan.FromDays(30);

    [Description(
        "File with the private key (ECDSA P-256, PEM) that signs the audit's heads. Without it the cluster makes one and keeps "
            + "it beside the data."
    )]
    public string? AuditKey { get; set; }

    [Description(
        "How often the audit's head is signed and kept, when anything was recorded. Shorter: less can be cut off unseen by "
            + "whoever can write the data; the last 1,500 heads are kept."
    )]
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00")]
    public TimeSpan AuditHeadEvery { get; set; } = TimeSpan.FromMinutes(1);
}
