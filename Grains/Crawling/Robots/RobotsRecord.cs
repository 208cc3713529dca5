using System.Globalization;

namespace Grains.Crawling.Robots;

/// <summary>
/// What the outcome of asking for robots.txt means, and until when: RFC 9309 §2.3.1 and §2.4. Whoever keeps it stores what
/// <see cref="From"/> was told.
/// </summary>
/// <param name="ExpiresAt">When to ask again: after <see cref="Lifetime"/>, sooner when it could not be reached. Until then the rules
/// count.</param>
/// <param name="Unreachable">Nothing is allowed until it answers.</param>
/// <param name="Failures">How often in a row it could not be reached.</param>
/// <param name="Says">A sentence for the one who asks why.</param>
public sealed record RobotsRecord(
    RobotsRules Rules,
    DateTimeOffset FetchedAt,
    DateTimeOffset ExpiresAt,
    bool Unreachable,
    int Failures,
    string Says
)
{
    /// <summary>§2.4: a copy is used for no more than 24 hours.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <summary>
    /// Wait after the first failure. It doubles with each further one, up to <see cref="MaxBackOff"/>; a longer Retry-After wins, up to
    /// <see cref="Lifetime"/>.
    /// </summary>
    public static readonly TimeSpan BackOff = TimeSpan.FromMinutes(1);

    public static readonly TimeSpan MaxBackOff = TimeSpan.FromHours(1);

    /// <param name="status">Of the last answer; null when none came. A 3xx says that five redirects led to no file.</param>
    /// <param name="body">Of a 2xx, null when it could not be read whole; else not looked at.</param>
    /// <param name="failuresBefore">Of the record before this one; 0 when there was none.</param>
    /// <param name="retryAfter">As the server asked.</param>
    /// <param name="cause">Why no answer came, or why it could not be read; null when nobody said.</param>
    public static RobotsRecord From(
        int? status,
        byte[]? body,
        DateTimeOffset fetchedAt,
        string productToken,
        int failuresBefore = 0,
        TimeSpan? retryAfter = null,
        string? cause = null
    ) =>
        status switch
        {
            // Whoever sent rules and did not get them across has not said that there are none.
            >= 200 and <= 299 when body is null => NotReached(
                Say($"its answer ({status}) could not be read: {Phrase(cause) ?? "it is not whole"}"),
                fetchedAt,
                failuresBefore,
                retryAfter
            ),
            >= 200 and <= 299 => Reached(RobotsRules.Parse(body, productToken), fetchedAt, status.Value),

            // §2.3.1.2: what five redirects do not lead to is unavailable.
            >= 300 and <= 399 => Reached(
                RobotsRules.AllowAll,
                fetchedAt,
                $"robots.txt is not found within five redirects ({status}): everything is allowed."
            ),

            // Nor has a server that is asked too slowly, too early or too often.
            429 => NotReached("the server says that it is asked too often (429)", fetchedAt, failuresBefore, retryAfter),
            408 or 425 => NotReached(Say($"the server answered {status}"), fetchedAt, failuresBefore, retryAfter),

            // §2.3.1.3: unavailable.
            >= 400 and <= 499 => Reached(RobotsRules.AllowAll, fetchedAt, $"There is no robots.txt ({status}): everything is allowed."),

            // §2.3.1.4: unreachable.
            null => NotReached(Phrase(cause) ?? "no answer came", fetchedAt, failuresBefore, retryAfter),
            _ => NotReached(Say($"the server answered {status}"), fetchedAt, failuresBefore, retryAfter),
        };

    public bool IsDue(DateTimeOffset now) => now >= ExpiresAt;

    private static RobotsRecord Reached(RobotsRules rules, DateTimeOffset at, int status) =>
        Reached(
            rules,
            at,
            rules.IsCut
                ? Say(
                    $"robots.txt was read ({status}) up to its limit of {RobotsRules.MaxBytes / 1024} KiB; rules behind that are not known."
                )
                : Say($"robots.txt was read ({status}).")
        );

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>A sentence within a sentence.</summary>
    private static string? Phrase(string? sentence) => sentence?.TrimEnd('.');

    private static RobotsRecord Reached(RobotsRules rules, DateTimeOffset at, string says) =>
        new(rules, at, at + Lifetime, Unreachable: false, Failures: 0, says);

    private static RobotsRecord NotReached(string why, DateTimeOffset at, int failuresBefore, TimeSpan? retryAfter)
    {
        var reason = $"robots.txt cannot be reached, {why}";
        var wait = Longer(Wait(failuresBefore), retryAfter ?? TimeSpan.Zero);
        return new(
            RobotsRules.DisallowAll(reason),
            at,
            at + (wait < Lifetime ? wait : Lifetime),
            Unreachable: true,
            failuresBefore + 1,
            $"{reason}: nothing is allowed until it answers."
        );
    }

    private static TimeSpan Wait(int failuresBefore)
    {
        // Six doublings are an hour and more.
        var wait = BackOff * (1 << Math.Min(failuresBefore, 6));
        return wait < MaxBackOff ? wait : MaxBackOff;
    }

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
