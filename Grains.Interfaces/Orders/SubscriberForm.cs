using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Grains.Interfaces.Orders;

/// <summary>A subscriber as programs read it, over HTTP and from the console.</summary>
/// <param name="Lag">Changes that it has yet to take.</param>
public sealed record SubscriberForm(
    string Name,
    long Lag,
    long In,
    long Done,
    long Waiting,
    long Dead,
    long Discarded,
    long Missed,
    ImmutableSortedDictionary<string, long> DeadByReason,
    ImmutableArray<SubscriberPartitionForm> Partitions
)
{
    /// <summary>By name, from the states of all partitions.</summary>
    public static ImmutableArray<SubscriberForm> Of(IEnumerable<SubscriberState> states) =>
        [
            .. states
                .GroupBy(state => state.Name, StringComparer.Ordinal)
                .Select(all => new SubscriberForm(
                    all.Key,
                    all.Sum(state => state.Lag),
                    all.Sum(state => state.In),
                    all.Sum(state => state.Done),
                    all.Sum(state => state.Waiting),
                    all.Sum(state => state.Dead.Values.Sum()),
                    all.Sum(state => state.Discarded),
                    all.Sum(state => state.Missed),
                    all.SelectMany(state => state.Dead)
                        .GroupBy(reason => reason.Key, StringComparer.Ordinal)
                        .ToImmutableSortedDictionary(
                            reason => reason.Key,
                            reason => reason.Sum(pair => pair.Value),
                            StringComparer.Ordinal
                        ),
                    [
                        .. all.Select(state => new SubscriberPartitionForm(
                            state.Partition,
                            state.Cursor,
                            state.Head,
                            state.Lag,
                            state.Waiting,
                            state.Dead.Values.Sum(),
                            state.Halt
                        )),
                    ]
                ))
                .OrderBy(form => form.Name, StringComparer.Ordinal),
        ];
}

/// <param name="Cursor">The first revision that it has yet to take.</param>
/// <param name="Halt">Why it does not go on; null while it does.</param>
public sealed record SubscriberPartitionForm(int Partition, long Cursor, long Head, long Lag, long Waiting, long Dead, string? Halt);

public sealed record SubscriberListForm(ImmutableArray<SubscriberForm> Subscribers);

/// <summary>A dead letter as programs read it.</summary>
/// <param name="Change">What happened: <c>order.paid</c>.</param>
public sealed record DeadLetterForm(
    string Id,
    string Subscriber,
    string Reason,
    string Detail,
    DateTimeOffset At,
    string OrderId,
    long Version,
    string Change,
    DateTimeOffset ChangedAt,
    ImmutableArray<HandlingTryForm> History
)
{
    public static DeadLetterForm Of(DeadLetter letter) =>
        new(
            DeadLetterId.Of(letter).ToString(),
            letter.Subscriber,
            letter.Reason,
            letter.Detail,
            letter.At,
            letter.Change.OrderId.Value,
            letter.Change.Version,
            letter.Change.Type,
            letter.Change.At,
            [.. letter.History.Select(tried => new HandlingTryForm(tried.At, tried.What, tried.Answer))]
        );
}

/// <param name="Answer">The beginning of what the other side answered, 1 KiB at most.</param>
public sealed record HandlingTryForm(
    DateTimeOffset At,
    string What,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Answer = null
);

/// <param name="After">For the next page; null when there are no more.</param>
public sealed record DeadLetterListForm(ImmutableArray<DeadLetterForm> DeadLetters, string? After);

/// <param name="Left">That match and are still there.</param>
public sealed record DeadLettersDoneForm(int Count, long Left);

/// <summary>Whose orders are to be erased.</summary>
public sealed record EraseForm(string Customer);

/// <param name="FilesCleaned">As <see cref="EraseReply.FilesCleaned"/>.</param>
/// <param name="NotReached">Where it may be still, that this program cannot reach.</param>
public sealed record ErasedForm(int Orders, int Changes, bool? FilesCleaned, string NotReached = ErasedForm.Elsewhere)
{
    public const string Elsewhere =
        "Copies and backups of the data, mail servers and mails that were delivered, systems that webhooks or exports went to, "
        + "pickup folders of other machines, and files that a version without secure deletion wrote.";
}
