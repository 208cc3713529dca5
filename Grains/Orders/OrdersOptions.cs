using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Grains.Interfaces.Orders;

namespace Grains.Orders;

/// <summary>What is set from outside for orders, for the whole silo.</summary>
public sealed class OrdersOptions
{
    public const string Section = "Orders";

    [Description("Partitions of orders in the cluster: each has one writer, and commits by itself. Stored at the first start; another number later stops the silo.")]
    [Range(1, OrderId.MaxPartitions)]
    public int Partitions { get; set; } = 8;

    [Description("How long changes are kept for subscribers and watches. What a listed subscriber has yet to read is kept longer; orders themselves are kept for ever.")]
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan KeepChanges { get; set; } = TimeSpan.FromDays(30);
}
