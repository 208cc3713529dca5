using Grains.Interfaces.Orders;

namespace Grains.Orders.Rows;

/// <summary>
/// Why a change was not delivered, in a word or two: dead letters are grouped by it. A mail server's answer is <c>smtp-</c> and an
/// endpoint's <c>http-</c> with its number; an exception of a subscriber is named by its type.
/// </summary>
public static class DeliveryReasons
{
    /// <summary>The webhook endpoint is disabled, by an operator, by its own answer 410, or because it failed for long.</summary>
    public const string EndpointDisabled = WebhookForm.DisabledReason;

    /// <summary>No answer came in time. Whether it was taken is not known.</summary>
    public const string Timeout = "timeout";

    /// <summary>No connection came about: no address, nobody listens, or no way there.</summary>
    public const string Unreachable = "unreachable";

    /// <summary>No secure connection: a certificate that is not to be trusted, or no TLS where it is asked for.</summary>
    public const string Tls = "tls";

    /// <summary>The connection ended before the answer was whole.</summary>
    public const string Cut = "cut";

    /// <summary>The endpoint's host has a private address (<c>Webhooks:AllowPrivate</c>).</summary>
    public const string PrivateAddress = "private-address";

    /// <summary>What came from the endpoint is no HTTP.</summary>
    public const string BadHttp = "bad-http";

    /// <summary>The endpoint's URL is none that can be asked.</summary>
    public const string BadUrl = "bad-url";

    /// <summary>The order's e-mail address is none that mail can be sent to.</summary>
    public const string BadAddress = "bad-address";

    /// <summary>The mail server takes no login of a kind that is known here.</summary>
    public const string Login = "login";

    /// <summary>The mail could not be written to its folder (<c>Mail:Pickup</c>).</summary>
    public const string Pickup = "pickup";

    /// <summary>
    /// The mail server may have the mail or not: no answer came after the whole of it was sent (<c>Mail:AfterUnknown</c>).
    /// </summary>
    public const string Unknown = "unknown";

    /// <summary>The subscriber was not through with the change within the time that it has.</summary>
    public const string TookTooLong = "took too long";

    /// <summary>A reason beyond the first 50 of a subscriber: they are counted together.</summary>
    public const string Other = SubscriberHeadRow.OtherReasons;
}

/// <summary>Why nobody was told of a change although nothing failed, in a word or two.</summary>
public static class SuppressedReasons
{
    /// <summary>What is personal of the order was erased.</summary>
    public const string Erased = "erased";

    /// <summary>The customer wants no mail of this type (<c>orders preferences</c>).</summary>
    public const string NotWantedByCustomer = "not-wanted-by-customer";

    /// <summary>The address's server refused mail to it for good (<c>orders suppressions</c>).</summary>
    public const string AddressSuppressed = "address-suppressed";
}

/// <summary>Why a delivery was not tried, and is later: no attempt is counted, and nothing becomes a dead letter for it.</summary>
public static class DeferredReasons
{
    /// <summary>The endpoint, or the mail server, failed often: it is left alone for a while.</summary>
    public const string CircuitOpen = "circuit-open";

    /// <summary>As many requests were in flight to the endpoint as may, for as long as there was time to wait.</summary>
    public const string NoPlace = "no-place";

    /// <summary>As many requests went to the endpoint as may in a second.</summary>
    public const string Rate = "rate";

    /// <summary>As many mails go to the mail server as may.</summary>
    public const string RateLimit = "rate-limit";

    /// <summary>The endpoint was paused, disabled or removed while the delivery waited.</summary>
    public const string HeldBack = "held-back";

    /// <summary>The endpoint has asked to be left alone for a while (Retry-After).</summary>
    public const string RetryAfter = "retry-after";

    /// <summary>What is between the subscriber and the endpoint's grain failed.</summary>
    public const string EndpointUnreached = "endpoint-unreached";
}
