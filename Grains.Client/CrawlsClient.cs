using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Grains.Interfaces.Crawling;

namespace Grains.Client;

/// <summary>Starts crawls, controls them, and reads what they found.</summary>
public sealed class CrawlsClient
{
    private readonly IGrainFactory _grains;

    internal CrawlsClient(IGrainFactory grains) => _grains = grains;

    private ICrawlListGrain Kept => _grains.GetGrain<ICrawlListGrain>(0);

    /// <summary>Starts a crawl; it goes on in the cluster until it is done.</summary>
    /// <exception cref="ClusterRefusedException">What was asked is not a crawl; nothing was started.</exception>
    public async Task<CrawlId> Start(CrawlSpec spec, CancellationToken cancel = default)
    {
        var reply = await Kept.Start(spec, cancel);
        return reply.Id ?? throw new ClusterRefusedException(string.Join(' ', reply.Errors));
    }

    /// <summary>The crawl of this id or name; null when there is none.</summary>
    public Task<CrawlId?> Find(string idOrName, CancellationToken cancel = default) => Kept.Find(idOrName, cancel);

    /// <summary>Every crawl that is kept, the newest first.</summary>
    public Task<ImmutableArray<CrawlSummary>> List(CancellationToken cancel = default) => Kept.List(cancel);

    /// <summary>The crawl at a glance; null when there is none.</summary>
    public Task<CrawlSummary?> Show(CrawlId id, CancellationToken cancel = default) => Crawl(id).Show(cancel);

    /// <summary>Begins no new fetches; those in flight end.</summary>
    public Task<CrawlSummary> Pause(CrawlId id, CancellationToken cancel = default) => Done(Crawl(id).Pause(cancel));

    public Task<CrawlSummary> Resume(CrawlId id, CancellationToken cancel = default) => Done(Crawl(id).Resume(cancel));

    /// <summary>Ends the crawl for good: what waits is skipped, with the reason <c>cancelled</c>.</summary>
    public Task<CrawlSummary> Cancel(CrawlId id, CancellationToken cancel = default) => Done(Crawl(id).Cancel(cancel));

    /// <summary>The crawl every <paramref name="interval"/>, until it is at its end, which is the last one.</summary>
    /// <exception cref="ClusterRefusedException">The crawl is not kept, or was deleted meanwhile.</exception>
    public async IAsyncEnumerable<CrawlSummary> Follow(
        CrawlId id,
        TimeSpan interval,
        [EnumeratorCancellation] CancellationToken cancel = default
    )
    {
        while (true)
        {
            var crawl = await Show(id, cancel) ?? throw new ClusterRefusedException($"There is no crawl {id}.");
            yield return crawl;
            if (crawl.EndedAt is not null)
            {
                yield break;
            }

            await Task.Delay(interval, cancel);
        }
    }

    /// <summary>Finished URLs, host by host; of a crawl that goes on, those that are finished when they are read.</summary>
    public async IAsyncEnumerable<PageRecord> Export(
        CrawlId id,
        ExportKind kind = ExportKind.Fetched,
        [EnumeratorCancellation] CancellationToken cancel = default
    )
    {
        string? cursor = null;
        do
        {
            var page = await Crawl(id).Export(cursor, kind, cancel);
            foreach (var record in page.Records)
            {
                yield return record;
            }

            cursor = page.Cursor;
        } while (cursor is not null);
    }

    private ICrawlGrain Crawl(CrawlId id) => _grains.GetGrain<ICrawlGrain>(id.ToString());

    private static async Task<CrawlSummary> Done(Task<ControlReply> asked)
    {
        var reply = await asked;
        return reply is { Error: null, Crawl: { } crawl }
            ? crawl
            : throw new ClusterRefusedException(reply.Error ?? "There is no such crawl.");
    }
}
