using System.IO.Compression;
using System.Text.Json;
using Xunit;

namespace EndToEnd.Crawling;

/// <summary>
/// A silo opens data that an earlier version left behind, killed in the middle, and goes on with it. How the folders were made:
/// <c>tests/Data/frozen/README.md</c>.
/// </summary>
public sealed class FrozenDataTests
{
    [Fact]
    public async Task DataOfVersionOneIsOpenedReadAndGoneOnWith()
    {
        var frozen = Path.Combine(AppContext.BaseDirectory, "Data", "frozen", "v1.zip");
        await using var crawler = await Crawler.RunOn(data => ZipFile.ExtractToDirectory(frozen, Path.GetDirectoryName(data)!));

        var (whole, half) = (await crawler.Show("whole"), await crawler.Show("half"));
        Assert.Equal(
            ("h912xfhmt3", "done", 12, 0),
            (Text(whole, "id"), Text(whole, "state"), Crawler.Number(whole, "pages"), Crawler.Number(whole, "queued"))
        );
        Assert.Equal(
            ("tzc7dt8m3z", "paused", 14, 15),
            (Text(half, "id"), Text(half, "state"), Crawler.Number(half, "pages"), Crawler.Number(half, "queued"))
        );
        var account = await crawler.Ledger();
        Assert.Equal((41, 26, 15), (Crawler.Number(account, "in"), Crawler.Number(account, "done"), Crawler.Number(account, "waiting")));

        var records = await crawler.Export("whole");
        Assert.Equal(
            Enumerable
                .Range(0, 12)
                .Select(page => (page == 0 ? "http://127.0.0.1:39801/" : $"http://127.0.0.1:39801/p{page}", $"Page {page}", 200))
                .Order(),
            records.Select(record => (Text(record, "url"), Text(record, "title"), record.GetProperty("status").GetInt32())).Order()
        );
        Assert.Equal(14, (await crawler.Export("half")).Length);

        // What waits is still work that can be taken up, or given up and counted.
        await crawler.Ask("crawl", "cancel", "half");
        Assert.Equal(29, (await crawler.Export("half", all: true)).Length);
        account = await crawler.Ledger();
        Assert.Equal((41, 26, 0), (Crawler.Number(account, "in"), Crawler.Number(account, "done"), Crawler.Number(account, "waiting")));
    }

    private static string Text(JsonElement from, string name) => from.GetProperty(name).GetString()!;
}
