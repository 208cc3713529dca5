using System.Collections.Immutable;
using Client.Values;
using Grains.Interfaces.Crawling;

namespace Client.Crawling;

/// <summary>
/// Brings URLs to a crawl, call by call: the next goes out when the one before is durable, so no more than one is in memory. Where a silo
/// goes away, another is asked; what the first had taken counts as known then.
/// </summary>
internal sealed class UrlSender(Session session, CrawlId id)
{
    /// <summary>URLs that are durable at the crawl and were not before.</summary>
    public long Added { get; private set; }

    /// <summary>URLs that the crawl knew.</summary>
    public long Known { get; private set; }

    /// <summary>URLs that the crawl does not take; the first of each call are named on the error output.</summary>
    public long Refused { get; private set; }

    /// <exception cref="ConsoleException">The crawl takes no URLs, or no silo came back.</exception>
    public async Task Send(IEnumerable<ImmutableArray<string>> batches, CancellationToken cancel)
    {
        var terminal = session.Terminal;
        foreach (var batch in batches)
        {
            var reply = await session.Ask(cluster => cluster.Crawl(id).Add(batch, cancel), cancel);
            if (reply.Closed is { } closed)
            {
                throw new ConsoleException(closed);
            }

            foreach (var error in reply.Errors)
            {
                terminal.Warn(error);
            }

            (Added, Known, Refused) = (Added + reply.New, Known + reply.Known, Refused + reply.Refused);
            if (session.ShowsProgress)
            {
                await terminal.Error.WriteAsync($"\r{Counts.Of(Added + Known + Refused, "URL", "URLs")}\r");
                await terminal.Error.FlushAsync(cancel);
            }
        }
    }

    /// <summary>No further seeds follow.</summary>
    public async Task EndSeeds(CancellationToken cancel)
    {
        if ((await session.Ask(cluster => cluster.Crawl(id).EndSeeds(cancel), cancel)).Error is { } error)
        {
            throw new ConsoleException(error);
        }
    }
}
