using System.Runtime.CompilerServices;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary>What somebody who watches orders gets to know.</summary>
internal abstract record WatchEvent
{
    /// <summary>Changes, or none and a cursor that has come further.</summary>
    public sealed record Page(WatchPage Changes) : WatchEvent;

    /// <summary>The silo does not answer, or has no room; it is asked again until it does.</summary>
    public sealed record Lost(string? Busy) : WatchEvent;

    public sealed record Back(TimeSpan After) : WatchEvent;
}

/// <summary>
/// Watches orders over restarts of silos and breaks of the network, each time on from its last cursor: no change is missed, and none comes
/// twice.
/// </summary>
/// <param name="from">A cursor, <c>start</c>, or null for now.</param>
/// <param name="id">One order's; null: all.</param>
internal sealed class OrderFollower(Session session, string? from, string? id)
{
    /// <summary>How long a silo is to hold a read that finds nothing.</summary>
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(5);

    /// <summary>Between two attempts to find a silo, at most.</summary>
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(5);

    private string? _cursor = from;

    /// <summary>To go on from; null before anything was answered.</summary>
    public string? Cursor => _cursor;

    /// <summary>Goes on until it is cancelled: a watch is there for what comes, and outlives any silo.</summary>
    /// <exception cref="ConsoleException">The cursor is refused, or what comes after it is not kept any more.</exception>
    public async IAsyncEnumerable<WatchEvent> Watch([EnumeratorCancellation] CancellationToken cancel)
    {
        var clock = session.Terminal.Clock;
        long? lostAt = null;
        var retry = session.Pace.Retry;
        // Who cannot reach a silo to begin with wants to know that.
        await session.Cluster(cancel);
        while (true)
        {
            WatchPage? page = null;
            try
            {
                var cluster = lostAt is null ? await session.Cluster(cancel) : await session.Reopen(cancel);
                page = await cluster
                    .Orders.Watch.Read(new(_cursor, id, IOrderWatchGrain.MaxTake, Wait), cancel)
                    .WaitAsync(Wait + session.Pace.Answer, clock, cancel);
            }
            catch (Exception reason) when (!cancel.IsCancellationRequested && IsLoss(reason))
            {
                // Told below, and asked again with the same cursor.
            }

            if (page is null or { Refusal: WatchRefusal.Full })
            {
                if (lostAt is null)
                {
                    lostAt = clock.GetTimestamp();
                    yield return new WatchEvent.Lost(page?.Detail);
                }

                await Task.Delay(retry, clock, cancel);
                retry = retry * 2 < LongestRetry ? retry * 2 : LongestRetry;
                continue;
            }

            if (lostAt is { } since)
            {
                (lostAt, retry) = (null, session.Pace.Retry);
                yield return new WatchEvent.Back(clock.GetElapsedTime(since));
            }

            if (page.Refusal != WatchRefusal.None)
            {
                throw new ConsoleException(page.Detail!);
            }

            yield return new WatchEvent.Page(page);
            // Only now: whoever was not given this page is given it again.
            _cursor = page.Cursor;
        }
    }

    private static bool IsLoss(Exception reason) =>
        reason is OrleansException or TimeoutException or IOException or ConsoleException { Code: ExitCode.NoSilo };
}
