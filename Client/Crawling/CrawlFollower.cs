using System.Runtime.CompilerServices;
using Grains.Interfaces.Crawling;

namespace Client.Crawling;

/// <summary>What somebody who follows a crawl gets to know.</summary>
internal abstract record FollowEvent
{
    public sealed record Progress(CrawlSummary Crawl, double PagesPerSecond) : FollowEvent;

    /// <summary>The silo does not answer; it is looked for until <see cref="CrawlFollower.Patience"/> is over.</summary>
    public sealed record Lost(string Reason) : FollowEvent;

    public sealed record Back(TimeSpan After) : FollowEvent;
}

/// <summary>Looks at a crawl until it ends, over restarts of the silo.</summary>
internal sealed class CrawlFollower(Session session, CrawlId id, FollowPace pace)
{
    /// <summary>How long a silo may be away before one gives up.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly RateMeter _meter = new();

    /// <summary>Ends after the <see cref="FollowEvent.Progress"/> that shows a crawl at its end.</summary>
    /// <exception cref="ConsoleException">The crawl was deleted, or no silo came back.</exception>
    public async IAsyncEnumerable<FollowEvent> Watch([EnumeratorCancellation] CancellationToken cancel)
    {
        while (true)
        {
            CrawlSummary? crawl = null;
            Exception? lost = null;
            try
            {
                crawl = await session.Show(id, cancel).WaitAsync(pace.Answer, session.Terminal.Clock, cancel);
            }
            catch (Exception reason) when (IsLoss(reason))
            {
                lost = reason;
            }

            if (crawl is null)
            {
                yield return new FollowEvent.Lost(lost!.Message);
                yield return new FollowEvent.Back(await Find(cancel));
                continue;
            }

            if (crawl.State == CrawlState.Deleting)
            {
                throw Session.Gone(id);
            }

            yield return new FollowEvent.Progress(crawl, _meter.Next(session.Terminal.Clock.GetUtcNow(), crawl.Pages));
            if (crawl.Ended)
            {
                yield break;
            }

            await Task.Delay(pace.Look, session.Terminal.Clock, cancel);
        }
    }

    /// <summary>Opens connections until one of them answers.</summary>
    private async Task<TimeSpan> Find(CancellationToken cancel)
    {
        var clock = session.Terminal.Clock;
        var since = clock.GetTimestamp();
        while (true)
        {
            try
            {
                var cluster = await session.Reopen(cancel);
                _ = await cluster.Crawl(id).Show(cancel).WaitAsync(pace.Answer, clock, cancel);
                return clock.GetElapsedTime(since);
            }
            catch (Exception reason) when (IsLoss(reason) || reason is ConsoleException { Code: ExitCode.NoSilo })
            {
                if (clock.GetElapsedTime(since) > Patience)
                {
                    throw;
                }
            }

            await Task.Delay(pace.Retry, clock, cancel);
        }
    }

    private static bool IsLoss(Exception reason) => reason is OrleansException or TimeoutException or IOException;
}
