using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Grains.Crawling.Frontier;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Benchmarks.Crawling;

/// <summary>
/// What the frontier of one host costs a URL: its plain classes, told the time, without a silo or a store. A URL is added, is found again,
/// is leased when its turn comes, and is reported as fetched. The baseline is what a crawler has that knows no delays, no leases and no
/// rows: a <see cref="HashSet{T}"/> of texts and a <see cref="Queue{T}"/>. And what it costs to look for traps.
/// </summary>
internal static class FrontierBenchmark
{
    private const int Small = 20_000;
    private const int Large = 1_000_000;

    /// <summary>URLs that come in one call, as the links of a page do.</summary>
    private const int Batch = 50;

    /// <summary>Until the runtime has compiled everything with what it learned.</summary>
    private const int RoundsBefore = 5;

    /// <summary>Leases that are out at once.</summary>
    private const int InFlight = 64;

    /// <summary>Pages of a round for the cost of traps, each with <see cref="Batch"/> links.</summary>
    private const int Pages = 2_000;

    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddYears(60);
    private static readonly CrawlId Crawl = new("abcdefghij");

    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds; medians are shown.", DefaultValueFactory = _ => 3 };
        var urls = new Option<int>("--urls") { Description = "URLs of the large size.", DefaultValueFactory = _ => Large };
        urls.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < Small)
            {
                result.AddError($"--urls is {Small} at least, which is the small size.");
            }
        });
        var command = new Command(
            "frontier",
            "Nanoseconds of CPU and bytes a URL of a host's frontier, beside a set and a queue that know no delays; what traps cost."
        )
        {
            rounds,
            urls,
        };
        command.SetAction(result => FigureTable.Print(Measure(result.GetValue(rounds), result.GetValue(urls))));
        return command;
    }

    /// <param name="urls">Of the large size.</param>
    public static IReadOnlyList<Figure> Measure(int rounds, int urls)
    {
        Console.WriteLine($"A host's frontier with {Small:N0} and {urls:N0} URLs, {rounds} rounds.");
        Console.WriteLine("                      add ns  known ns  next ns  fetched ns  held bytes  garbage bytes");
        for (var round = 0; round < RoundsBefore; round++)
        {
            Frontier(Small);
            SetAndQueue(Small);
            Traps();
        }

        List<Costs> small = [],
            large = [],
            smallBaseline = [],
            largeBaseline = [];
        List<TrapCosts> traps = [];
        for (var round = 1; round <= rounds; round++)
        {
            Take(small, Frontier(Small), round, $"{Small}");
            Take(smallBaseline, SetAndQueue(Small), round, $"{Small} set");
            Take(large, Frontier(urls), round, $"{urls}");
            Take(largeBaseline, SetAndQueue(urls), round, $"{urls} set");
            traps.Add(Traps());
            Console.WriteLine($"{round, 3}  {traps[^1]}");
        }

        return
        [
            .. Beside(small, smallBaseline, Small),
            .. Beside(large, largeBaseline, urls),
            .. Rise(small, large, urls),
            Link("plain links", traps, costs => costs.Plain, costs => costs.PlainUnwatched),
            Link("links with a query", traps, costs => costs.Query, costs => costs.QueryUnwatched),
            Link("links with a query, a trap known", traps, costs => costs.Trapped, costs => costs.QueryUnwatched),
        ];
    }

    private static void Take(List<Costs> all, Costs costs, int round, string what)
    {
        all.Add(costs);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{round, 3}  {what, -15}{costs.Add, 8:0}  {costs.Known, 8:0}  {costs.Next, 7:0}  {costs.Fetched, 10:0}  "
                    + $"{costs.Held, 10:0.0}  {costs.Garbage, 13:0}"
            )
        );
    }

    private static IEnumerable<Figure> Beside(List<Costs> frontier, List<Costs> baseline, int urls)
    {
        Figure Cost(string what, Func<Costs, double> of) =>
            new("frontier", string.Create(CultureInfo.InvariantCulture, $"{what}, {urls:N0}"), frontier.Select(of), baseline.Select(of))
            {
                IsCost = true,
            };

        yield return Cost("add, CPU-ns a URL, beside set and queue", costs => costs.Add);
        yield return Cost("known, CPU-ns a URL, beside the set", costs => costs.Known);
        yield return Cost("next due, CPU-ns a URL, beside the queue", costs => costs.Next);
        yield return new(
            "frontier",
            string.Create(CultureInfo.InvariantCulture, $"fetched, CPU-ns a URL, {urls:N0}"),
            frontier.Select(c => c.Fetched)
        )
        {
            IsCost = true,
        };
        yield return Cost("bytes held a URL, beside set and queue", costs => costs.Held);
    }

    private static IEnumerable<Figure> Rise(List<Costs> small, List<Costs> large, int urls)
    {
        Figure Cost(string what, Func<Costs, double> of) =>
            new(
                "frontier",
                string.Create(CultureInfo.InvariantCulture, $"{what}, CPU-ns a URL, {urls:N0} beside {Small:N0}"),
                large.Select(of),
                small.Select(of)
            )
            {
                IsCost = true,
            };

        yield return Cost("add", costs => costs.Add);
        yield return Cost("known", costs => costs.Known);
        yield return Cost("next due", costs => costs.Next);
        yield return Cost("fetched", costs => costs.Fetched);
    }

    private static Figure Link(string what, List<TrapCosts> traps, Func<TrapCosts, double> watched, Func<TrapCosts, double> unwatched) =>
        new("frontier", $"traps looked for, CPU-ns a link, {what}, beside not", traps.Select(watched), traps.Select(unwatched))
        {
            IsCost = true,
        };

    private static string Url(int number) =>
        string.Create(CultureInfo.InvariantCulture, $"http://www.example.org/section/{number % 97}/article-{number}.html");

    private static Costs Frontier(int urls)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var crawl = NewCrawl(new() { Seeds = ["http://www.example.org/"] }, new() { Host = "www.example.org" });
        var clock = new HostClock { Concurrency = InFlight };
        var garbage = GC.GetAllocatedBytesForCurrentThread();
        var add = Batches(urls, batch => Add(crawl, batch));
        garbage = GC.GetAllocatedBytesForCurrentThread() - garbage;
        Check(crawl.Sums().Added, urls, "added");
        var held = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)urls;
        var known = Batches(urls, batch => Add(crawl, batch));
        Check(crawl.Sums().Added, urls, "known");
        var (next, fetched) = Fetch(crawl, clock, urls);
        Check(crawl.Sums().Done, urls, "fetched");
        return new(add / urls, known / urls, next / urls, fetched / urls, held, garbage / (double)urls);
    }

    /// <summary>
    /// Takes URL after URL as their turn comes, <see cref="InFlight"/> at once, and reports them. What only rows hold is read as the host
    /// reads it, from rows that cost nothing here.
    /// </summary>
    /// <returns>Nanoseconds for what is next, and for what is fetched.</returns>
    private static (double Next, double Fetched) Fetch(HostCrawl crawl, HostClock clock, int urls)
    {
        long next = 0,
            fetched = 0;
        var leases = new List<(QueueEntry Entry, long Number)>(InFlight);
        while (true)
        {
            Refill(crawl.Queue.Ready, urls);
            var since = Cpu;
            while (leases.Count < InFlight && clock.MayStart(Now) && crawl.Queue.Peek(Now) is { } entry)
            {
                var number = crawl.NextLease();
                crawl.Queue.Lease(entry, number, Now + crawl.HeldFor);
                clock.Start(new(Crawl, number), Now);
                leases.Add((entry, number));
            }

            next += Cpu - since;
            if (leases.Count == 0)
            {
                return (next * Tick, fetched * Tick);
            }

            var outcomes = leases.ConvertAll(lease => Outcome(lease.Entry.Url, lease.Number, "A page", []));
            since = Cpu;
            for (var lease = 0; lease < leases.Count; lease++)
            {
                clock.End(new(Crawl, leases[lease].Number), Now);
                Do(crawl, crawl.Finish(crawl.Queue.End(leases[lease].Entry.Url, leases[lease].Number)!, outcomes[lease], Now));
            }

            fetched += Cpu - since;
            crawl.TakeFinished();
            leases.Clear();
        }
    }

    private static void Refill(KeyWindow window, int urls)
    {
        if (!window.WantsMore)
        {
            return;
        }

        var from = window.LoadedTo is { Length: > 0 } last
            ? int.Parse(last.AsSpan(QueueEntry.ReadyPrefix.Length), NumberStyles.HexNumber, CultureInfo.InvariantCulture) + 1
            : 0;
        window.BeginLoad();
        var rows = Enumerable
            .Range(from, Math.Min(StoreLimits.MaxScan, urls - from))
            .Select(number => new QueueEntry(QueueEntry.Ready(number), Url(number), 1, "http://www.example.org/", 0))
            .ToList();
        window.EndLoad(rows, isLast: rows.Count < StoreLimits.MaxScan);
    }

    private static Costs SetAndQueue(int urls)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var queue = new Queue<string>();
        void Take(ImmutableArray<FoundUrl> batch)
        {
            foreach (var found in batch)
            {
                if (seen.Add(found.Url))
                {
                    queue.Enqueue(found.Url);
                }
            }
        }

        var garbage = GC.GetAllocatedBytesForCurrentThread();
        var add = Batches(urls, Take);
        garbage = GC.GetAllocatedBytesForCurrentThread() - garbage;
        var held = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)urls;
        var known = Batches(urls, Take);
        Check(queue.Count, urls, "queued");
        var since = Cpu;
        var taken = 0;
        while (queue.TryDequeue(out _))
        {
            taken++;
        }

        var next = (Cpu - since) * Tick;
        Check(taken, urls, "taken");
        GC.KeepAlive(seen);
        return new(add / urls, known / urls, next / urls, Fetched: 0, held, garbage / (double)urls);
    }

    /// <summary>Hands all URLs in, <see cref="Batch"/> at once.</summary>
    /// <returns>Nanoseconds, without those for making the texts.</returns>
    private static double Batches(int urls, Action<ImmutableArray<FoundUrl>> take)
    {
        long ticks = 0;
        for (var first = 0; first < urls; first += Batch)
        {
            ImmutableArray<FoundUrl> batch =
            [
                .. Enumerable
                    .Range(first, Math.Min(Batch, urls - first))
                    .Select(number => new FoundUrl(Url(number), Depth: 1, "http://www.example.org/")),
            ];
            var since = Cpu;
            take(batch);
            ticks += Cpu - since;
        }

        return ticks * Tick;
    }

    private static TrapCosts Traps() =>
        new(
            Links("/section/{0}/{1}.html", follow: false, traps: null),
            Links("/section/{0}/{1}.html", follow: true, traps: null),
            Links("/list?section={0}&article={1}", follow: false, traps: null),
            Links("/list?section={0}&article={1}", follow: true, traps: null),
            Links("/list?section={0}&article={1}", follow: false, [new("http://www.example.org/calendar/*", "", Now)])
        );

    /// <summary>Nanoseconds a link of pages that are reported as fetched, all with links that were not known.</summary>
    private static double Links(string form, bool follow, ImmutableArray<TrapRow>? traps)
    {
        var crawl = NewCrawl(
            new() { Seeds = ["http://www.example.org/"], FollowTraps = follow },
            new() { Host = "www.example.org", Traps = traps }
        );
        string Link(int page, int link) => "http://www.example.org" + string.Format(CultureInfo.InvariantCulture, form, page, link);
        long ticks = 0;
        for (var page = -Pages / 4; page < Pages; page++)
        {
            var url = Link(page, 0);
            var outcome = Outcome(url, 1, Title(page), [.. Enumerable.Range(1, Batch).Select(link => Link(page, link))]);
            var since = Cpu;
            Do(crawl, crawl.Finish(new(QueueEntry.Ready(0), url, 1, Parent: null, Attempts: 0), outcome, Now));
            ticks += page < 0 ? 0 : Cpu - since; // Those before are for the compiler.
            crawl.TakeFinished();
        }

        return ticks * Tick / Pages / Batch;
    }

    /// <summary>Another one for each page also without its digits: a page that brings nothing would be of a trap.</summary>
    private static string Title(int page) =>
        "Section " + string.Concat((page + Pages).ToString("D5", CultureInfo.InvariantCulture).Select(digit => (char)(digit - '0' + 'A')));

    private static HostCrawl NewCrawl(CrawlSpec spec, HostHead head)
    {
        var crawl = new HostCrawl(
            new(Crawl, 1, CrawlState.Running, spec),
            head,
            maxUrls: 5_000_000,
            new(3, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), () => 0.5)
        );
        crawl.Queue.Ready.EndLoad([], isLast: true);
        crawl.Queue.Later.EndLoad([], isLast: true);
        return crawl;
    }

    private static void Add(HostCrawl crawl, ImmutableArray<FoundUrl> urls) => Do(crawl, crawl.Accept(urls, Now));

    /// <summary>As the writer of the partition does it, but for the store.</summary>
    private static void Do(HostCrawl crawl, IPartitionWork work)
    {
        bool isWhole;
        do
        {
            var commit = new CommitBuilder();
            isWhole = work.Fill(commit);
            crawl.Head(Now);
            crawl.Committed();
            commit.Complete();
        } while (!isWhole);
    }

    private static FetchOutcome Outcome(string url, long number, string title, ImmutableArray<string> links) =>
        new(
            Crawl,
            LeaseKind.Page,
            url,
            number,
            FetchResult.Answered,
            Reason: null,
            RetryAfter: null,
            new(url, 200, 0, null, "text/html", title, 15_000, null, links.Length, Now, 3, 1, null, Truncated: false, null),
            links,
            Robots: null
        );

    private static void Check(long found, int urls, string what)
    {
        if (found != urls)
        {
            throw new InvalidOperationException($"The frontier has {found} of {urls} URLs {what}.");
        }
    }

    /// <summary>
    /// Of this process, the garbage collector's and the compiler's included; other work on the machine does not count, as it would on a
    /// clock.
    /// </summary>
    private static long Cpu => Environment.CpuUsage.TotalTime.Ticks;

    /// <summary>In nanoseconds.</summary>
    private const double Tick = 1e9 / TimeSpan.TicksPerSecond;

    /// <summary>Nanoseconds and bytes a URL.</summary>
    /// <param name="Held">What memory holds when all are added.</param>
    /// <param name="Garbage">What was allocated for adding them, the texts included.</param>
    private sealed record Costs(double Add, double Known, double Next, double Fetched, double Held, double Garbage);

    /// <summary>Nanoseconds a link with traps looked for and without.</summary>
    /// <param name="Trapped">With a query, and another trap of the host is known.</param>
    private sealed record TrapCosts(double Plain, double PlainUnwatched, double Query, double QueryUnwatched, double Trapped)
    {
        public override string ToString() =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"CPU-ns a link: plain {Plain:0} with traps looked for, {PlainUnwatched:0} without; with a query {Query:0} and "
                    + $"{QueryUnwatched:0}; with a trap known {Trapped:0}"
            );
    }
}
