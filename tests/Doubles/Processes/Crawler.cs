using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using Xunit;

namespace Doubles.Processes;

/// <summary>A silo that is killed and started again on one place, and consoles that talk to it, all of them processes.</summary>
public sealed class Crawler : IAsyncDisposable
{
    private readonly SiloPlace _place = new();
    private readonly HttpClient _http = new() { Timeout = Wait.HangBound };
    private readonly string[] _settings;
    private SiloProcess? _silo;

    private Crawler(string[] settings) => _settings = settings;

    public SiloPlace Place => _place;

    /// <summary>How often the silo was killed so far.</summary>
    public int Kills { get; private set; }

    public string Gateway => _place.Gateway.ToString();

    public static Task<Crawler> Run(params string[] settings) => RunOn(static _ => { }, settings);

    /// <param name="fill">Is given the path of the data folder, which is not there yet.</param>
    public static async Task<Crawler> RunOn(Action<string> fill, params string[] settings)
    {
        var crawler = new Crawler(settings);
        try
        {
            fill(crawler.Place.Data);
            await crawler.StartSilo();
            return crawler;
        }
        catch
        {
            await crawler.DisposeAsync();
            throw;
        }
    }

    public async Task StartSilo() => _silo = await SiloProcess.StartReady(_place, _settings);

    /// <summary><c>kill -9</c>, and a new silo on the same data. Nobody tells it to go on.</summary>
    public async Task KillAndRestart()
    {
        await _silo!.Kill9();
        Kills++;
        await StartSilo();
    }

    /// <summary>SIGTERM, and the end of the process with the exit code of a clean stop.</summary>
    public async Task StopSilo() => Assert.Equal(0, await _silo!.Stop());

    /// <summary>A verb of the console, run to its end.</summary>
    public Task<ConsoleProcess> Say(params string[] args) => ConsoleProcess.Reach([.. args, "--gateway", Gateway]);

    /// <summary>A verb that is to succeed; the lines of its output.</summary>
    public async Task<IReadOnlyList<string>> Ask(params string[] args)
    {
        await using var console = await Say(args);
        Assert.True(
            await console.Exit == ExitCode.Done,
            $"\"{string.Join(' ', args)}\" ended with {await console.Exit}:{Environment.NewLine}{console.Said}"
        );
        return console.Output;
    }

    public async Task<JsonElement> AskJson(params string[] args) => JsonElement.Parse((await Ask([.. args, "--json"]))[^1]);

    /// <summary>
    /// Starts a crawl that may connect to loopback, with a time-out of five seconds: a successor waits out what a fetch may last, and on a
    /// busy machine a new
    /// silo's first fetch takes more than one. Answers its id.
    /// </summary>
    public async Task<string> StartCrawl(string seed, params string[] options) =>
        (await AskJson(["crawl", "start", seed, "--timeout", "5s", "--allow-private", "127.0.0.0/8", .. options]))
            .GetProperty("id")
            .GetString()!;

    /// <summary>A console that follows the crawl, over kills too.</summary>
    public ConsoleProcess Follow(string id) => ConsoleProcess.Start(Following(id));

    /// <summary>Follows the crawl to its end; the last line that was said of it.</summary>
    public async Task<JsonElement> FollowToEnd(string id, int exitCode)
    {
        await using var follower = await ConsoleProcess.Reach(Following(id));
        Assert.True(await follower.Exit == exitCode, $"{follower.Said}{Environment.NewLine}The silo said: {Said}");
        return follower.Last;
    }

    public async Task<JsonElement> Show(string id) => JsonElement.Parse(await Get($"/api/crawls/{id}"));

    /// <summary>The export's records, over HTTP: a console would take longer to start than this takes.</summary>
    /// <param name="all">With what was skipped.</param>
    public async Task<ImmutableArray<JsonElement>> Export(string id, bool all = false) =>
        [
            .. (await Get($"/api/crawls/{id}/export?kind={(all ? "all" : "fetched")}"))
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonElement.Parse(line)),
        ];

    /// <summary>The account of the crawler, which must balance.</summary>
    public async Task<JsonElement> Ledger()
    {
        var ledger = JsonElement.Parse(await Get("/api/ledger"));
        var account = Assert.Single(ledger.GetProperty("accounts").EnumerateArray(), line =>
            line.GetProperty("system").GetString() == "crawling"
        );
        Assert.True(account.GetProperty("balances").GetBoolean(), $"{account}");
        var (ins, outs) = (
            Number(account, "in"),
            Number(account, "done")
                + Number(account, "waiting")
                + account.GetProperty("refused").EnumerateObject().Sum(refused => refused.Value.GetInt64())
        );
        Assert.Equal(ins, outs);
        return account;
    }

    /// <summary>What the silo said, for the message of a test that fails.</summary>
    public string Said => _silo?.AllSaid ?? "";

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null)
        {
            await _silo.DisposeAsync();
        }

        _http.Dispose();
        _place.Dispose();
    }

    public static long Number(JsonElement from, string name) => from.GetProperty(name).GetInt64();

    /// <summary>Asks until there is an answer: after a kill the cluster may not give one at once.</summary>
    private async Task<string> Get(string path)
    {
        var text = "";
        await Wait.Until(
            async () =>
            {
                using var answer = await _http.GetAsync(new Uri($"http://{_place.Http}{path}"));
                text = await answer.Content.ReadAsStringAsync();
                Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, text);
                return answer.StatusCode == HttpStatusCode.OK;
            },
            $"an answer to GET {path}",
            () => text
        );
        return text;
    }

    private string[] Following(string id) => ["crawl", "follow", id, "--json", "--gateway", Gateway];
}
