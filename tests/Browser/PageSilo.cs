using Xunit;

[assembly: AssemblyFixture(typeof(Browser.PageSilo))]

namespace Browser;

/// <summary>One silo for all tests, with a key for each role. It may crawl and send on this machine.</summary>
public sealed class PageSilo : IAsyncDisposable
{
    public static readonly string[] Settings =
    [
        "--Crawling:AllowPrivate",
        "127.0.0.0/8",
        "--Webhooks:AllowHttp",
        "true",
        "--Webhooks:AllowPrivate",
        "127.0.0.0/8",
    ];

    private readonly Lazy<Task<SiloProcess>> _process;

    public PageSilo() => _process = new(Start);

    public SiloPlace Place { get; } = new();

    public Uri Home => new($"http://{Place.Http}/");

    public string Reader { get; private set; } = "";

    public string Writer { get; private set; } = "";

    public string Operator { get; private set; } = "";

    public Task<SiloProcess> Started() => _process.Value;

    /// <summary>A verb of the console that is to succeed; the lines of its output.</summary>
    public async Task<IReadOnlyList<string>> Say(params string[] args)
    {
        await using var console = await ConsoleProcess.Reach([.. args, "--gateway", Place.Gateway.ToString()]);
        Assert.True(await console.Exit == 0, console.Said);
        return console.Output;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
        {
            await (await _process.Value).DisposeAsync();
        }

        Place.Dispose();
    }

    private async Task<SiloProcess> Start()
    {
        var silo = await SiloProcess.StartReady(Place, Settings);
        Reader = (await Say("keys", "add", "looks", "--role", "reader")).Single();
        Writer = (await Say("keys", "add", "acts", "--role", "writer")).Single();
        Operator = (await Say("keys", "add", "runs", "--role", "operator")).Single();
        return silo;
    }
}
