using System.Globalization;
using Grains.Orders.Rows;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>What becomes of a delivery after a try.</summary>
public enum WebhookVerdict
{
    Delivered,

    /// <summary>It is tried again on the schedule.</summary>
    Retry,

    /// <summary>The same, and whoever answers wants less: the endpoint's window closes to one.</summary>
    Throttled,

    /// <summary>The endpoint is gone: it is disabled, and nothing is tried again until somebody enables it.</summary>
    Disable,
}

/// <summary>What a try came to.</summary>
/// <param name="Reason">A word or two by which dead letters are grouped: <c>http-500</c>, <c>timeout</c>. Nothing personal.</param>
/// <param name="Detail">A sentence. Nothing of the answer's body is in it.</param>
/// <param name="Status">Null where there was no answer.</param>
/// <param name="RetryAfter">What was asked for; null where nothing was.</param>
public sealed record WebhookOutcome(WebhookVerdict Verdict, string Reason, string Detail, int? Status, TimeSpan? RetryAfter)
{
    /// <summary>The beginning of the answer's body (<see cref="AnswerText"/>); null where nothing came that can be read.</summary>
    public string? Answer { get; init; }

    /// <summary>Nothing was sent: it does not count as a try.</summary>
    public bool IsNoAttempt =>
        Reason
            is DeferredReasons.CircuitOpen
                or DeferredReasons.NoPlace
                or DeferredReasons.Rate
                or DeferredReasons.HeldBack
                or DeferredReasons.RetryAfter;

    /// <summary>Nothing was sent, and why; it may be asked for again after the wait.</summary>
    public static WebhookOutcome NotSent(WebhookFailure why, TimeSpan wait, string because) =>
        Failed(why, $"Not sent: {because}; again in {Seconds(wait)}.") with
        {
            RetryAfter = wait,
        };

    /// <summary>An answer came (Standard Webhooks 1.0, "Delivery").</summary>
    /// <param name="retryAfter">The header, as it came. It is heard on every failure.</param>
    public static WebhookOutcome Answered(int status, string? retryAfter, DateTimeOffset now)
    {
        var wait = status >= 300 ? Deliveries.RetryAfter.Parse(retryAfter, now) : null;
        return status switch
        {
            >= 200 and < 300 => Of(WebhookVerdict.Delivered, $"Answered {status}."),
            >= 300 and < 400 => Of(
                WebhookVerdict.Retry,
                $"Answered {status}, a redirect: redirects are not followed. Change the endpoint's URL to where it leads."
            ),
            410 => Of(WebhookVerdict.Disable, $"Answered {status}: the endpoint says that it is gone for good."),
            429 or 502 or 503 or 504 when wait is { } time => Of(
                WebhookVerdict.Throttled,
                $"Answered {status} and asked to wait for {Seconds(time)}."
            ),
            429 or 502 or 503 or 504 => Of(WebhookVerdict.Throttled, $"Answered {status}."),
            _ => Of(WebhookVerdict.Retry, $"Answered {status}."),
        };

        WebhookOutcome Of(WebhookVerdict verdict, FormattableString detail) =>
            new(verdict, string.Create(CultureInfo.InvariantCulture, $"http-{status}"), FormattableString.Invariant(detail), status, wait);
    }

    /// <summary>No answer, or none in full.</summary>
    public static WebhookOutcome Failed(WebhookFailure failure, string detail) =>
        new(
            WebhookVerdict.Retry,
            failure switch
            {
                WebhookFailure.Timeout => DeliveryReasons.Timeout,
                WebhookFailure.Unreachable => DeliveryReasons.Unreachable,
                WebhookFailure.PrivateAddress => DeliveryReasons.PrivateAddress,
                WebhookFailure.Tls => DeliveryReasons.Tls,
                WebhookFailure.BadHttp => DeliveryReasons.BadHttp,
                WebhookFailure.BadUrl => DeliveryReasons.BadUrl,
                WebhookFailure.Cut => DeliveryReasons.Cut,
                WebhookFailure.CircuitOpen => DeferredReasons.CircuitOpen,
                WebhookFailure.NoPlace => DeferredReasons.NoPlace,
                WebhookFailure.Rate => DeferredReasons.Rate,
                WebhookFailure.HeldBack => DeferredReasons.HeldBack,
                WebhookFailure.RetryAfter => DeferredReasons.RetryAfter,
                _ => throw new ArgumentOutOfRangeException(nameof(failure), failure, "Not a failure of a webhook."),
            },
            detail,
            Status: null,
            RetryAfter: null
        );

    internal static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.###} s");
}

/// <summary>Why there was no answer.</summary>
public enum WebhookFailure
{
    /// <summary>Nothing came in time. Whether the endpoint took it is not known; it knows the repeat by its id.</summary>
    Timeout,

    Unreachable,

    /// <summary>The host's addresses are private; see <c>Webhooks:AllowPrivate</c>.</summary>
    PrivateAddress,

    Tls,

    BadHttp,

    BadUrl,

    /// <summary>The connection ended before the answer's header was whole.</summary>
    Cut,

    /// <summary>Not tried: see <see cref="EndpointBreaker"/>. It does not count as an attempt.</summary>
    CircuitOpen,

    /// <summary>Not tried: as many requests were in flight as may, for as long as there was time to wait.</summary>
    NoPlace,

    /// <summary>Not tried: the rate is used up.</summary>
    Rate,

    /// <summary>Not tried: the endpoint was disabled or removed while this waited.</summary>
    HeldBack,

    /// <summary>Not tried: the endpoint has asked to be left alone for a while (Retry-After).</summary>
    RetryAfter,
}
