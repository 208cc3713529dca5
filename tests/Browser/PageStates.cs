using Xunit;

namespace Browser;

/// <summary>
/// A page that has nothing to show, one that has much, all of it hostile, and one whose silo is dead: for who looks at every view.
/// </summary>
public sealed class PageStates(PageSilo silo) : IAsyncLifetime
{
    /// <summary>Would be a script, would turn the direction of what follows, and has no place to break.</summary>
    public static readonly string Hostile =
        "<script>document.body.id='hit'</script><b>bold</b>\u202Eright-to-left\u200F \u05E9\u05DC\u05D5\u05DD " + new string('W', 90);

    private static readonly string[] s_views =
    [
        "/",
        "/crawls",
        "/logs",
        "/logs/tail",
        "/logs/rules",
        "/orders",
        "/destinations",
        "/dead-letters",
        "/cluster",
        "/crawls/none",
        "/orders/none",
        "/destinations/none",
    ];

    private readonly SiloPlace _place = new();
    private readonly SiloPlace _deadPlace = new();
    private SiloProcess? _empty;
    private SiloProcess? _front;
    private SiloPlace? _frontPlace;

    /// <summary>Of the page with much to show: what an operator sees.</summary>
    public IReadOnlyList<string> Full { get; private set; } = [];

    public IReadOnlyList<string> Empty => s_views;

    /// <summary>Those that show something that is read again and again.</summary>
    public IReadOnlyList<string> Broken => ["/", "/crawls", "/destinations", "/cluster"];

    public Uri EmptyHome => new($"http://{_place.Http}/");

    public Uri BrokenHome => new($"http://{_frontPlace!.Http}/");

    public async ValueTask InitializeAsync()
    {
        await silo.Started();
        Full = [.. s_views, .. await Fill()];
        _empty = await SiloProcess.StartReady(_place);
        await using var dead = await SiloProcess.StartReady(_deadPlace);
        _frontPlace = _deadPlace.Beside();
        _front = await SiloProcess.StartReady(_frontPlace, "--Cluster:Role", "Front");
        await dead.Kill9();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in (SiloProcess?[])[_empty, _front])
        {
            if (process is not null)
            {
                await process.DisposeAsync();
            }
        }

        _frontPlace?.Dispose();
        _deadPlace.Dispose();
        _place.Dispose();
    }

    /// <summary>Puts something of everything into the silo; the addresses of what has a view of its own.</summary>
    private async Task<string[]> Fill()
    {
        await using var site = await WebSite.Start(Doubles.Net.LoopbackNetwork.Instance);
        site.Add("/taken", SiteAnswer.Empty(204)).Add("/refused", SiteAnswer.Text(Hostile) with { Status = 410 });
        var taken = await silo.Webhook(site.UrlOf("/taken"));
        var refused = await silo.Webhook(site.UrlOf("/refused"));
        var order = "";
        for (var number = 0; number < 40; number++)
        {
            order = await silo.Order($"{Hostile[..60]} {number}", number % 3 == 0 ? string.Concat(Enumerable.Repeat(Hostile, 40)) : null);
        }

        for (var number = 0; number < 120; number++)
        {
            await silo.Log($"service-{number % 5} {Hostile[..(number % 40)]}", $"{number} {Hostile}", number);
        }

        await silo.Log("large", string.Concat(Enumerable.Repeat(Hostile, 1500)), 1);
        await silo.Say("logs", "rules", "add", "service:nobody severity<=debug => drop");

        site.Add("/", $"<!DOCTYPE html><title>{Html(Hostile)}</title>{Links(30)}");
        for (var number = 0; number < 30; number += 2)
        {
            site.Add($"/page/{number}", $"<!DOCTYPE html><title>{Html(Hostile)} {number}</title><p>{number}");
        }

        await silo.Say(
            "crawl",
            "start",
            site.UrlOf("/"),
            "--name",
            "hostile",
            "--delay",
            "0",
            "--allow-private",
            "127.0.0.0/8",
            "--follow"
        );
        await Wait.Until(() => site.Ledger.CountOf("/taken") > 0, "an endpoint to be told");
        await silo.Say("orders", "webhooks", "pause", taken);
        return
        [
            $"/orders/{order}",
            $"/destinations/{taken}",
            $"/destinations/{refused}",
            "/crawls/hostile?show=problems",
            $"/crawls/hostile?show=urls&url={Uri.EscapeDataString(site.UrlOf("/page/0"))}",
            "/logs?q=service:large",
            "/logs?q=(wrong",
        ];
    }

    private static string Html(string text) => text.Replace("<", "&lt;", StringComparison.Ordinal);

    private static string Links(int count) =>
        string.Concat(Enumerable.Range(0, count).Select(number => $"<a href=/page/{number}>{number}</a> "));
}
