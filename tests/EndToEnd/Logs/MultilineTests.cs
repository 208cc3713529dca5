using Xunit;

namespace EndToEnd.Logs;

/// <summary>Lines that go on, through <c>logs send --multiline</c>.</summary>
public sealed class MultilineTests : IAsyncLifetime
{
    private const int Traces = 20_000;

    private readonly SiloPlace _place = new();
    private LogDoor _door = null!;
    private SiloProcess _silo = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string State => Path.Combine(_place.Folder, "state");

    public async ValueTask InitializeAsync()
    {
        _silo = await SiloProcess.StartReady(_place);
        _door = new(_place);
    }

    public async ValueTask DisposeAsync()
    {
        _door.Dispose();
        await _silo.DisposeAsync();
        _place.Dispose();
    }

    [Fact]
    public async Task TracesStayWholeWhereverAPartOfTheFileEnds()
    {
        // More than two parts of the file.
        var file = Path.Combine(_place.Folder, "traces.log");
        await File.WriteAllTextAsync(
            file,
            string.Concat(
                Enumerable
                    .Range(0, Traces)
                    .Select(number =>
                        $"2026-11-23 10:00:00,{number % 1000:000} ERROR [main] shop.Cart - {number} "
                        + $"broke\njava.lang.IllegalStateException: no\n\tat shop.Cart.add(Cart.java:12)\nCaused by: "
                        + $"java.io.IOException: gone\n"
                    )
            ),
            Cancel
        );

        var sent = await _door.Run("send", file, "--service", "traces", "--multiline", "--zone", "UTC", "--state", State);

        Assert.True(sent.Code == 0, sent.Error);
        Assert.Equal(Traces, await _door.Count("traces"));
        Assert.Equal(
            Traces,
            await _door.Number(
                "select count(*) from logs where service = 'traces' and severity = 17 and body like '2026-11-23 "
                    + "10:00:00,%Caused by: java.io.IOException: gone'"
            )
        );
    }

    [Fact]
    public async Task TheLastTraceOfAFollowedFileIsStoredWhenTheFileStandsStill()
    {
        var file = Path.Combine(_place.Folder, "app.log");
        await File.WriteAllTextAsync(file, "", Cancel);
        await using var console = _door.Start("send", file, "--service", "app", "--follow", "--multiline", "--state", State);

        await File.AppendAllTextAsync(file, "fail: Shop[0]\n      it broke\n", Cancel);
        await Wait.Until(async () => await _door.Count("app") == 1, "the record to be stored", () => console.Said);

        Assert.Equal(
            1,
            await _door.Number("select count(*) from logs where service = 'app' and severity = 17 and body like 'fail:%it broke'")
        );
        console.Interrupt();
        Assert.Equal(0, await console.Ended());
    }
}
