using System.Collections.Immutable;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Consumers;

/// <summary>Has deliveries made once more: those of an order, or of a subscriber since a time.</summary>
internal sealed class Resending(int partitions, Func<SubscriberKey, ISubscriberGrain> subscriberOf, TimeProvider clock)
{
    /// <param name="names">Of the subscribers that are meant.</param>
    /// <param name="by">Who asks for it.</param>
    public async Task<ResentReply> Run(ResendDeliveries what, IReadOnlyList<string> names, string by, CancellationToken cancel) =>
        names.Count == 0
            ? new(
                0,
                0,
                null,
                $"There is nobody called \"{what.Subscriber}\" who is told of changes; \"orders subscribers list\" names them."
            )
        : what.Order is { } order ? await OfOrder(order, what.Version, names, by, cancel)
        : await Since(what, names[0], by, cancel);

    private async Task<ResentReply> OfOrder(OrderId order, long? version, IReadOnlyList<string> names, string by, CancellationToken cancel)
    {
        if (order.Partition >= partitions)
        {
            return new(0, 0, null, $"There is no order \"{order}\".");
        }

        var part = new ResendPart(order, version, Since: null);
        var parts = await Task.WhenAll(names.Select(name => subscriberOf(new(name, order.Partition)).Resend(part, by, cancel)));
        var (count, gone) = (parts.Sum(one => one.Count), parts.Sum(one => one.Gone));
        return new(
            count,
            gone,
            null,
            count == 0 && parts.Any(one => one.Next is not null) ? "As many changes wait to be tried again as may: ask again later." : null
        );
    }

    private async Task<ResentReply> Since(ResendDeliveries what, string name, string by, CancellationToken cancel)
    {
        var until = clock.GetUtcNow().AddTicks(1);
        var from = Enumerable.Range(0, partitions).ToImmutableSortedDictionary(partition => partition, _ => what.Since!.Value);
        if (what.After is { } after && ResendCursor.TryParse(after, out var end, out var rest))
        {
            (until, from) = (end, rest);
        }

        var parts = await Task.WhenAll(
            from.Where(part => part.Key < partitions)
                .Select(async part =>
                    (
                        part.Key,
                        Part: await subscriberOf(new(name, part.Key)).Resend(new(Order: null, Version: null, part.Value, until), by, cancel)
                    )
                )
        );
        var next = parts
            .Where(part => part.Part.Next is not null)
            .Select(part => KeyValuePair.Create(part.Key, part.Part.Next!.Value))
            .ToList();
        return new(
            parts.Sum(part => part.Part.Count),
            parts.Sum(part => part.Part.Gone),
            next.Count == 0 ? null : ResendCursor.Write(until, next)
        );
    }
}
