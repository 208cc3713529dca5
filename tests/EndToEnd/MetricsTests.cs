using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace EndToEnd;

/// <summary>The dashboard and the alerts of <c>infra/grafana</c> name only what a silo exports.</summary>
public sealed partial class MetricsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryNameInTheDashboardAndTheAlertsIsExported()
    {
        using var place = new SiloPlace();
        await using var silo = await SiloProcess.StartReady(place, "--Crawling:AllowPrivate", "127.0.0.0/8");
        using var http = new HttpClient { BaseAddress = new($"http://{place.Http}"), Timeout = Wait.HangBound };
        using var deep = new StringContent(DeepRecord(), Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri("/v1/logs", UriKind.Relative), deep, Cancel);
        Assert.Contains("\"rejectedLogRecords\"", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);

        // A host that does not answer stays at work, and what waits there is shown.
        using var crawl = new StringContent(
            """{"seeds":["http://127.0.0.1:9/"],"allowPrivate":["127.0.0.0/8"]}""",
            Encoding.UTF8,
            "application/json"
        );
        using var started = await http.PostAsync(new Uri("/api/crawls", UriKind.Relative), crawl, Cancel);
        Assert.True(started.IsSuccessStatusCode, await started.Content.ReadAsStringAsync(Cancel));

        var folder = Path.Combine(Doubles.Repository.Folder, "infra", "grafana");
        var named = Name()
            .Matches(await File.ReadAllTextAsync(Path.Combine(folder, "dashboard.json"), Cancel))
            .Concat(Name().Matches(await File.ReadAllTextAsync(Path.Combine(folder, "alerts.yaml"), Cancel)))
            .Select(match => match.Value)
            .ToHashSet(StringComparer.Ordinal);
        Assert.Contains("books_balance", named);
        string[] missing = [];
        await Wait.Until(
            async () =>
            {
                var exported = (await http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Cancel))
                    .Split('\n')
                    .Where(line => line is [not '#', ..])
                    .Select(line => line.Split('{', ' ')[0])
                    .ToHashSet(StringComparer.Ordinal);
                missing = [.. named.Where(name => !exported.Contains(name))];
                return missing.Length == 0; // The books are read after the first collection.
            },
            "the names to be exported",
            () => string.Join(", ", missing)
        );
    }

    /// <summary>A record that is refused, so that the books have something refused.</summary>
    private static string DeepRecord()
    {
        const int Depth = 70;
        var body =
            string.Concat(Enumerable.Repeat("""{"arrayValue":{"values":[""", Depth)) + string.Concat(Enumerable.Repeat("]}}", Depth));
        return """{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":""" + body + "}]}]}]}";
    }

    /// <summary>A metric of a silo, as Prometheus names it: its meters begin with these words.</summary>
    [GeneratedRegex(@"\b(books|crawling|doors|grains|logs|orders|storage)_[a-z_]+\b")]
    private static partial Regex Name();
}
