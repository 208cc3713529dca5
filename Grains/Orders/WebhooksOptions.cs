using System.Collections.Immutable;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Grains.Net;
using Grains.Orders.Deliveries;

namespace Grains.Orders;

/// <summary>What is set from outside for webhooks, for the whole silo.</summary>
public sealed class WebhooksOptions
{
    public const string Section = "Webhooks";

    [Description(
        "Whether endpoints may have URLs that begin with http://. What is sent there can be read and changed on its way; for "
            + "tests and networks of one's own."
    )]
    public bool AllowHttp { get; set; }

    [Description(
        "Private address ranges (CIDR, comma-separated) that webhooks may be sent to, for tests and intranets. None by default: "
            + "loopback, private, link-local and metadata addresses are refused where the connection is made."
    )]
    [AddressRangesSetting]
    public string AllowPrivate { get; set; } = "";

    [Description(
        "Requests per second to one endpoint. After a start, and when it answers again, a sixteenth of them, twice as many "
            + "every five seconds."
    )]
    [Range(0.1, 100_000)]
    public double PerSecond { get; set; } = 100;

    [Description(
        "Requests that one endpoint has in flight at most. Begins with one, and opens with each success. More reaches a slow "
            + "endpoint faster, and loads it more."
    )]
    [Range(1, 256)]
    public int MaxInFlight { get; set; } = 16;

    [Description(
        "Waits after the first try, the second and so on, a fifth longer at most by chance; after the last a change is a dead "
            + "letter. A longer Retry-After of the endpoint wins, up to 24 hours."
    )]
    [RetryWaitsSetting]
    public string Retries { get; set; } = "5s 5m 30m 2h 5h 10h 14h 20h 24h";

    [Description("An endpoint of which nothing but failures came for so long is disabled.")]
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00")]
    public TimeSpan FailsFor { get; set; } = TimeSpan.FromDays(5);

    /// <summary>As <see cref="AllowPrivate"/> says.</summary>
    internal AddressRanges Ranges =>
        AddressRanges.TryParse(AllowPrivate, out var ranges, out var error) ? ranges : throw new FormatException(error);

    /// <summary>As <see cref="Retries"/> says.</summary>
    internal ImmutableArray<TimeSpan> Waits =>
        RetryWaits.TryParse(Retries, out var waits, out var error) ? waits : throw new FormatException(error);
}
