using System.Collections.Immutable;
using Doubles.Net;

namespace Doubles;

/// <summary>
/// A real site on loopback whose link graph is known, with a ledger of its own that no silo sees. It tells when it was asked for its n-th
/// page, and can hold
/// that one back.
/// </summary>
public sealed class CrawledSite : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, TaskCompletionSource> _awaited = [];
    private readonly Dictionary<int, Gate> _gates = [];
    private readonly BigSite _pages;
    private readonly WebSite _site;
    private int _asked;

    private CrawledSite(WebSite site, int pages)
    {
        _site = site;
        _pages = new(pages);
        site.Otherwise = Answer;
        Walk = [.. BreadthFirst(_pages).Select(page => site.UrlOf(BigSite.PathOf(page)))];
    }

    /// <summary>Every page that a breadth-first walk from the first one finds.</summary>
    public ImmutableArray<string> Walk { get; }

    public WebSite Server => _site;

    /// <summary>The first page.</summary>
    public string Seed => _site.UrlOf("/");

    /// <summary>Requests for pages so far; robots.txt is not one.</summary>
    public int Asked
    {
        get
        {
            lock (_lock)
            {
                return _asked;
            }
        }
    }

    /// <summary>Every request, robots.txt included, in the order of their starts.</summary>
    public ImmutableArray<SiteRequest> Requests => _site.Ledger.Requests;

    /// <summary>Requests beyond one per URL, robots.txt included.</summary>
    public int Repeats => Requests.Length - Requests.Select(request => request.Target).Distinct(StringComparer.Ordinal).Count();

    /// <param name="robots">Null: there is no robots.txt.</param>
    public static async Task<CrawledSite> Start(int pages, string? robots = null)
    {
        var site = await WebSite.Start(LoopbackNetwork.Instance);
        if (robots is not null)
        {
            site.Add("/robots.txt", SiteAnswer.Text(robots));
        }

        return new(site, pages);
    }

    /// <summary>Ends when the n-th request for a page has come.</summary>
    public Task WhenAsked(int count)
    {
        lock (_lock)
        {
            if (_asked >= count)
            {
                return Task.CompletedTask;
            }

            if (!_awaited.TryGetValue(count, out var awaited))
            {
                _awaited.Add(count, awaited = new(TaskCreationOptions.RunContinuationsAsynchronously));
            }

            return awaited.Task;
        }
    }

    /// <summary>The n-th request for a page is not answered before the gate opens.</summary>
    public Gate Hold(int count)
    {
        lock (_lock)
        {
            return _gates[count] = new();
        }
    }

    /// <summary>robots.txt is not answered before the gate opens.</summary>
    public Gate HoldRobots()
    {
        var gate = new Gate();
        _site.Add("/robots.txt", SiteAnswer.Text("User-agent: *\nAllow: /\n").Behind(gate));
        return gate;
    }

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    private SiteAnswer? Answer(string target)
    {
        if (_pages.PageOf(target) is not { } page)
        {
            return null;
        }

        TaskCompletionSource? awaited;
        Gate? gate;
        lock (_lock)
        {
            _asked++;
            _awaited.Remove(_asked, out awaited);
            _gates.Remove(_asked, out gate);
        }

        awaited?.SetResult();
        var answer = new SiteAnswer { Body = _pages.Page(page) };
        return gate is null ? answer : answer.Behind(gate);
    }

    private static List<int> BreadthFirst(BigSite site)
    {
        var found = new List<int> { 0 };
        var seen = new HashSet<int> { 0 };
        for (var at = 0; at < found.Count; at++)
        {
            for (var link = 0; link < BigSite.LinksPerPage; link++)
            {
                var page = site.Link(found[at], link);
                if (page < site.Pages && seen.Add(page))
                {
                    found.Add(page);
                }
            }
        }

        return found;
    }
}
