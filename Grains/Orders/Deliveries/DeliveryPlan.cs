using Grains.Orders.Mail;
using Grains.Orders.Webhooks;

namespace Grains.Orders.Deliveries;

public enum DeliveryNext
{
    Delivered,

    /// <summary>Tried again when it is due.</summary>
    Again,

    /// <summary>Waits without a due time: its endpoint is disabled.</summary>
    Held,

    /// <summary>Given up: a dead letter with its reason.</summary>
    Dead,
}

/// <summary>What comes after a try.</summary>
/// <param name="Due">For <see cref="DeliveryNext.Again"/>.</param>
/// <param name="Attempts">Made so far, this one included where it counts.</param>
/// <param name="Reason">Of the last try; for <see cref="DeliveryNext.Dead"/> what dead letters are grouped by.</param>
public readonly record struct DeliveryPlan(DeliveryNext Next, DateTimeOffset? Due, int Attempts, string Reason)
{
    /// <param name="made">Attempts before this one.</param>
    /// <param name="chance">From 0 to below 1.</param>
    public static DeliveryPlan After(WebhookOutcome outcome, int made, RetrySchedule schedule, DateTimeOffset now, double chance)
    {
        if (outcome.IsNoAttempt)
        {
            return new(DeliveryNext.Again, now + (outcome.RetryAfter ?? TimeSpan.FromSeconds(1)), made, outcome.Reason);
        }

        return outcome.Verdict switch
        {
            WebhookVerdict.Delivered => new(DeliveryNext.Delivered, Due: null, made + 1, outcome.Reason),
            WebhookVerdict.Disable => new(DeliveryNext.Held, Due: null, made + 1, outcome.Reason),
            _ => Again(made + 1, schedule, now, outcome.RetryAfter, chance, outcome.Reason),
        };
    }

    /// <inheritdoc cref="After(WebhookOutcome, int, RetrySchedule, DateTimeOffset, double)"/>
    /// <param name="unknown">What is done where nobody can know whether the mail went out.</param>
    public static DeliveryPlan After(MailOutcome outcome, int made, RetrySchedule schedule, MailAfterUnknown unknown, DateTimeOffset now, double chance) => outcome.Verdict switch
    {
        MailVerdict.Delivered => new(DeliveryNext.Delivered, Due: null, made + 1, outcome.Reason),
        MailVerdict.Refused => new(DeliveryNext.Dead, Due: null, made + 1, outcome.Reason),
        MailVerdict.Unknown when unknown == MailAfterUnknown.GiveUp => new(DeliveryNext.Dead, Due: null, made + 1, outcome.Reason),
        _ => Again(made + 1, schedule, now, retryAfter: null, chance, outcome.Reason),
    };

    private static DeliveryPlan Again(int made, RetrySchedule schedule, DateTimeOffset now, TimeSpan? retryAfter, double chance, string reason) =>
        schedule.Next(made, now, retryAfter, chance) is { } due ? new(DeliveryNext.Again, due, made, reason) : new(DeliveryNext.Dead, Due: null, made, reason);
}
