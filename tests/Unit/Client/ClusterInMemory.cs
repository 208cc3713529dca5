using System.Collections.Immutable;
using Doubles.Storage;
using Grains.Interfaces.Books;
using Grains.Interfaces.Cluster;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Keys;
using Grains.Interfaces.Logs;
using Grains.Interfaces.Orders;
using Grains.Orders;
using Grains.Orders.Deliveries.Mail;
using Microsoft.Extensions.Time.Testing;
using Unit.Orders;
using Unit.Silo;

namespace Unit.Client;

/// <summary>A cluster without silos, for the console: it holds what a test put there.</summary>
internal sealed class ClusterInMemory : ICluster
{
    public CrawlsInMemory Kept { get; } = new();

    public List<Account> Accounts { get; } = [];

    public ClusterStatus? Shown { get; set; }

    public ICrawlListGrain Crawls => Kept;

    public ILedgerGrain Ledger => new LedgerInMemory([.. Accounts]);

    public IClusterStatusGrain Status => new StatusInMemory(Shown!);

    /// <summary>What a backup reports, the outcome last.</summary>
    public List<BackupReport> BackupReports { get; } = [];

    public IBackupGrain Backup => new BackupInMemory(BackupReports);

    public KeysInMemory KnownKeys { get; } = new();

    public IApiKeysGrain Keys => KnownKeys;

    public RulesInMemory Rules { get; } = new();

    public ILogRulesGrain LogRules => Rules;

    public LogsInMemory Logs { get; } = new();

    public ILogQueryGrain LogQuery() => Logs;

    public ILogTailGrain LogTail() => Logs;

    public ILogBatchGrain LogShard(int shard) => Logs.Shard(shard);

    public SendInMemory Sent { get; } = new();

    public ILogSendGrain LogSend => Sent;

    public OrdersInMemory KnownOrders { get; } = new();

    public OrderWatchInMemory KnownWatch { get; } = new();

    public SubscribersInMemory KnownSubscribers { get; } = new();

    public MailStore MailKept { get; } = new(new TableStoreInMemory(), new FakeTimeProvider(Given.Start));

    public OrderMailGrain KnownMail => new(MailKept);

    public WebhooksInMemory KnownWebhooks { get; } = new();

    public OrderDesk Orders => new(new GrainsInMemory(this));

    public ICrawlGrain Crawl(CrawlId id) => Kept.Crawls.FirstOrDefault(crawl => crawl.Id == id) ?? new CrawlInMemory(id, []);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class LedgerInMemory(ImmutableArray<Account> accounts) : ILedgerGrain
    {
        public Task<ImmutableArray<Account>> Read(CancellationToken cancel = default) => Task.FromResult(accounts);
    }

    private sealed class BackupInMemory(IReadOnlyList<BackupReport> reports) : IBackupGrain
    {
        public IAsyncEnumerable<BackupReport> Take(string folder, CancellationToken cancel = default) => reports.ToAsyncEnumerable();
    }

    private sealed class StatusInMemory(ClusterStatus status) : IClusterStatusGrain
    {
        public Task<ClusterStatus> Show(CancellationToken cancel = default) => Task.FromResult(status);

        public Task<Chains> Chains(CancellationToken cancel = default) =>
            Task.FromResult(new Chains([new("one", "does this"), new("another", "does that")], [new("third", "does more")]));
    }
}

/// <summary>
/// The crawl list: starts anything, under the id <c>new0000000</c> and on, unless <see cref="Errors"/> says what is wrong.
/// </summary>
internal sealed class CrawlsInMemory : ICrawlListGrain
{
    public List<CrawlInMemory> Crawls { get; } = [];

    public List<CrawlSpec> Started { get; } = [];

    public ImmutableArray<string> Errors { get; set; } = [];

    /// <summary>What a crawl that is started shows, look by look.</summary>
    public Func<CrawlId, CrawlSpec, CrawlSummary[]> Looks { get; set; } = (_, _) => [];

    /// <summary>Called with each crawl that is started, before the answer.</summary>
    public Action<CrawlInMemory> OnStarted { get; set; } = _ => { };

    public Task<StartReply> Start(CrawlSpec spec, CancellationToken cancel = default)
    {
        if (!Errors.IsEmpty)
        {
            return Task.FromResult(new StartReply(null, Errors));
        }

        Started.Add(spec);
        var id = CrawlId.Parse($"new{Started.Count - 1:0000000}");
        var crawl = new CrawlInMemory(id, Looks(id, spec));
        Crawls.Add(crawl);
        OnStarted(crawl);
        return Task.FromResult(new StartReply(id, []));
    }

    public Task<CrawlId?> Find(string idOrName, CancellationToken cancel = default) =>
        Task.FromResult(
            Crawls.Where(crawl => crawl.Id.Value == idOrName || crawl.Name == idOrName).Select(crawl => (CrawlId?)crawl.Id).FirstOrDefault()
        );

    public Task<ImmutableArray<CrawlSummary>> List(CancellationToken cancel = default) =>
        Task.FromResult(Crawls.Select(crawl => crawl.Now!).ToImmutableArray());

    public Task Wake(CancellationToken cancel = default) => Task.CompletedTask;

    public Task Forget(CrawlId id, CancellationToken cancel = default) => Task.CompletedTask;

    public Task Reopened(CrawlId id, CancellationToken cancel = default) => Task.CompletedTask;

    public Task<bool> EndRounds(CrawlId first, CancellationToken cancel = default) => throw new NotSupportedException();
}

/// <summary>A crawl that shows one summary after the other, the last one for ever.</summary>
internal sealed class CrawlInMemory(CrawlId id, params CrawlSummary[] looks) : ICrawlGrain
{
    private int _look = -1;

    public CrawlId Id => id;

    public string? Name => looks.FirstOrDefault()?.Name;

    public CrawlSummary? Now => looks.Length == 0 ? null : looks[Math.Clamp(_look, 0, looks.Length - 1)];

    /// <summary>Called before each look, with its number from 0; may throw, as a silo that is gone.</summary>
    public Action<int> OnLook { get; set; } = _ => { };

    /// <summary>Called before each page of an export, with its number from 0; may throw.</summary>
    public Action<int> OnExport { get; set; } = _ => { };

    /// <summary>Called before the crawl is paused, resumed, cancelled or deleted; may throw.</summary>
    public Action OnControl { get; set; } = () => { };

    public List<PageRecord[]> ExportPages { get; } = [];

    public Explanation? Explanation { get; set; }

    public string? ControlError { get; set; }

    public List<string> Controls { get; } = [];

    public Task<CrawlSummary?> Show(CancellationToken cancel = default)
    {
        OnLook(++_look);
        return Task.FromResult(Now);
    }

    public Task<ControlReply> Pause(CancellationToken cancel = default) => Control("pause", CrawlState.Paused);

    public Task<ControlReply> Resume(CancellationToken cancel = default) => Control("resume", CrawlState.Running);

    public Task<ControlReply> Cancel(CancellationToken cancel = default) => Control("cancel", CrawlState.Cancelled);

    public Task<ControlReply> Delete(CancellationToken cancel = default) => Control("delete", CrawlState.Deleting);

    public Task<ExportPage> Export(string? cursor, ExportKind kind, CancellationToken cancel = default)
    {
        Controls.Add($"export {cursor ?? "-"} {kind}");
        var page = cursor is null ? 0 : int.Parse(cursor, System.Globalization.CultureInfo.InvariantCulture);
        OnExport(page);
        var next = page + 1 < ExportPages.Count ? $"{page + 1}" : null;
        return Task.FromResult(new ExportPage(ExportPages.Count == 0 ? [] : [.. ExportPages[page]], next));
    }

    public Task<Explanation> Explain(string url, CancellationToken cancel = default) => Task.FromResult(Explanation!);

    /// <summary>URLs that were added, call by call.</summary>
    public List<string[]> Added { get; } = [];

    /// <summary>Called before each call that adds URLs, with its number from 0; may throw.</summary>
    public Action<int> OnAdd { get; set; } = _ => { };

    public Task<ControlReply> EndSeeds(CancellationToken cancel = default) => Control("end seeds", CrawlState.Running);

    /// <summary>What is tried again, part by part.</summary>
    public List<ImmutableSortedDictionary<string, long>> Retries { get; } = [];

    public Task<RetryReply> Retry(string? reason, string? cursor, CancellationToken cancel = default)
    {
        Controls.Add($"retry {reason ?? "-"} {cursor ?? "-"}");
        var part = cursor is null ? 0 : int.Parse(cursor, System.Globalization.CultureInfo.InvariantCulture);
        return Task.FromResult(
            new RetryReply(
                Retries.ElementAtOrDefault(part) ?? ImmutableSortedDictionary<string, long>.Empty,
                part + 1 < Retries.Count ? $"{part + 1}" : null,
                ControlError
            )
        );
    }

    public Task<AddUrlsReply> Add(ImmutableArray<string> urls, CancellationToken cancel = default)
    {
        OnAdd(Added.Count);
        Added.Add([.. urls]);
        var refused = urls.Count(url => !url.StartsWith("http", StringComparison.Ordinal));
        return Task.FromResult(
            ControlError is { } closed
                ? new AddUrlsReply(0, 0, urls.Length, [], closed)
                : new(urls.Length - refused, 0, refused, refused == 0 ? [] : ["One is no URL."], null)
        );
    }

    /// <summary>What is kept, by URL.</summary>
    public Dictionary<string, PagePart> KeptPages { get; } = [];

    public Task<PagePart> Page(string url, PageView view, long offset, CancellationToken cancel = default)
    {
        Controls.Add($"page {url} {view} {offset}");
        return Task.FromResult(
            KeptPages.GetValueOrDefault(url) ?? new(null, null, [], 0, $"Crawl {id} has not fetched {url}.", IsText: false)
        );
    }

    /// <summary>Its WARC file, part by part.</summary>
    public List<byte[]> ArchiveParts { get; } = [];

    public Task<ArchivePart> Archive(string? cursor, CancellationToken cancel = default)
    {
        var part = cursor is null ? 0 : int.Parse(cursor, System.Globalization.CultureInfo.InvariantCulture);
        return Task.FromResult(new ArchivePart(ArchiveParts[part], 1, 0, part + 1 < ArchiveParts.Count ? $"{part + 1}" : null));
    }

    public Task<bool> Begin(CrawlSpec spec, DateTimeOffset at, CancellationToken cancel = default) => throw new NotSupportedException();

    public Task<EnlistReply?> Enlist(ImmutableArray<HostKey> hosts, CancellationToken cancel = default) =>
        throw new NotSupportedException();

    public Task<ImmutableArray<HostKey>> Hosts(HostKey? after, int take, CancellationToken cancel = default) =>
        throw new NotSupportedException();

    /// <summary>How its hosts are asked, in order of their keys.</summary>
    public List<HostState> AskedHosts { get; } = [];

    public Task<ImmutableArray<HostState>> HostStates(HostKey? after, int take, CancellationToken cancel = default) =>
        Task.FromResult(
            AskedHosts
                .Where(host => string.CompareOrdinal(host.Host.Value, after?.Value ?? "") > 0)
                .Take(Math.Min(take, ICrawlGrain.MaxHostStates))
                .ToImmutableArray()
        );

    public Task<Account?> Account(CancellationToken cancel = default) => throw new NotSupportedException();

    public Task Wake(CancellationToken cancel = default) => throw new NotSupportedException();

    private Task<ControlReply> Control(string verb, CrawlState state)
    {
        OnControl();
        Controls.Add(verb);
        return Task.FromResult(
            ControlError is null ? new ControlReply(Now is null ? null : Now with { State = state }, null) : new(Now, ControlError)
        );
    }
}

/// <summary>Keys whose secret is <c>secret-of-NAME</c>.</summary>
internal sealed class KeysInMemory : IApiKeysGrain
{
    public List<ApiKeyLine> Keys { get; } = [];

    public Task<AddKeyReply> Add(string name, ApiRole role, CancellationToken cancel = default)
    {
        if (Keys.Any(key => key.Name == name))
        {
            return Task.FromResult(new AddKeyReply(null, $"There is a key named \"{name}\" already.") { Refusal = AddKeyRefusal.Exists });
        }

        Keys.Add(new(name, role, ConsoleInMemory.Start));
        return Task.FromResult(new AddKeyReply($"secret-of-{name}", null));
    }

    public Task<ImmutableArray<ApiKeyLine>> List(CancellationToken cancel = default) => Task.FromResult(Keys.ToImmutableArray());

    public bool IsClosed { get; private set; }

    public Task<bool> Revoke(string name, CancellationToken cancel = default)
    {
        var revoked = Keys.RemoveAll(key => key.Name == name) > 0;
        IsClosed |= revoked;
        return Task.FromResult(revoked);
    }

    public Task<bool> IsOpen(CancellationToken cancel = default) => Task.FromResult(Keys.Count == 0 && !IsClosed);

    public Task<bool> Open(CancellationToken cancel = default)
    {
        IsClosed &= Keys.Count > 0;
        return Task.FromResult(Keys.Count == 0);
    }
}
