using Doubles;
using Grains.Client;
using Grains.Interfaces.Crawling;
using Xunit;
using ConsoleProgram = Client.Program;

namespace Unit.Client;

internal sealed record Printed(int Code, string Output, string Error)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Of a list for programs, the lines without the last one, which says how it ended.</summary>
    public string[] Entries
    {
        get
        {
            Assert.StartsWith("{\"end\":{", Lines[^1], StringComparison.Ordinal);
            return Lines[..^1];
        }
    }
}

/// <summary>The console in front of a cluster in memory: arguments in, exit code and both outputs out.</summary>
internal sealed class ConsoleInMemory
{
    public static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>At once, and no question is repeated.</summary>
    public FollowPace Pace { get; set; } = new(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromMinutes(1));

    public ClusterInMemory Cluster { get; } = new();

    /// <summary>Called at each connection, with its number from 0; may throw.</summary>
    public Action<int> OnOpen { get; set; } = _ => { };

    public ClusterAddress? Opened { get; private set; }

    public int Opens { get; private set; }

    public bool IsTerminal { get; set; }

    public Func<string, bool> Confirm { get; set; } = _ => throw new InvalidOperationException("Nobody is to be asked.");

    public Dictionary<string, string> Environment { get; } = [];

    /// <summary>Addresses that were opened in the browser.</summary>
    public List<Uri> Browsed { get; } = [];

    public CancellationToken CtrlC { get; set; }

    public TestClock Clock { get; } = new(Start);

    public async Task<Printed> Run(params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        return new(await RunInto(output, error, args), output.ToString(), error.ToString());
    }

    public Task<int> RunInto(TextWriter output, TextWriter error, params string[] args)
    {
        var terminal = new Terminal(output, error, IsTerminal, IsTerminal, (question, cancel) => Task.FromResult(Confirm(question)), Clock)
        {
            Browse = address =>
            {
                Browsed.Add(address);
                return true;
            },
        };
        var verbs = new Verbs(terminal, Open, Environment.GetValueOrDefault, Pace);
        return verbs.Run(ConsoleProgram.Root(verbs), args, CtrlC);
    }

    public CrawlInMemory Keep(params CrawlSummary[] looks)
    {
        var crawl = new CrawlInMemory(looks[0].Id, looks);
        Cluster.Kept.Crawls.Add(crawl);
        return crawl;
    }

    /// <summary>A crawl with 7 pages done of 20 that were added.</summary>
    public static CrawlSummary Crawl(string id = "abcdefghi0", string? name = "shop", CrawlState state = CrawlState.Running) =>
        new(
            CrawlId.Parse(id),
            name,
            state,
            new CrawlSpec { Seeds = ["http://a.example/"], Name = name },
            Added: 20,
            Pages: 7,
            Failed: 1,
            Skipped: 2,
            Queued: 10,
            Hosts: 1,
            Bytes: 4096,
            StartedAt: Start,
            EndedAt: state is CrawlState.Done or CrawlState.Cancelled ? Start.AddSeconds(12.5) : null,
            Elapsed: TimeSpan.FromSeconds(12.5),
            Note: null
        );

    /// <summary>A host that answers 503.</summary>
    public static HostState Host(string host) =>
        new(
            new(host),
            "slowed",
            "2 failure(s) in a row.",
            AskedDelay: TimeSpan.FromSeconds(1),
            Delay: TimeSpan.FromSeconds(3),
            NextAt: Start,
            InFlight: 0,
            Pages: 1_234,
            Queued: 5,
            Failed: 2,
            Bytes: 4096,
            System.Collections.Immutable.ImmutableSortedDictionary<string, long>.Empty.Add("http-503", 2)
        );

    /// <summary>A page that was fetched.</summary>
    public static PageRecord Page(string url) =>
        new(url, 200, 0, null, "text/html", null, 1, "sha256:00", 0, Start, 1, 1, null, false, null);

    private Task<ICluster> Open(ClusterAddress address, CancellationToken cancel)
    {
        Opened = address;
        OnOpen(Opens++);
        return Task.FromResult<ICluster>(Cluster);
    }
}
