using System.Net.Http.Json;
using Doubles.Net;
using Xunit;

namespace EndToEnd;

/// <summary>
/// One trace leads from a request over calls of grains to what it fetched, and reaches a collector of OpenTelemetry by its standard
/// environment variables.
/// </summary>
public sealed class TraceTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";

    [Fact]
    public async Task OneTraceLeadsFromTheRequestThatStartsACrawlToItsFetches()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var collector = await TraceCollector.Start();
        await using var site = await WebSite.Start(LoopbackNetwork.Instance);
        site.Add("/", SiteAnswer.Links("/one")).Add("/one", "<title>One</title>");
        using var place = new SiloPlace();
        await using var silo = await SiloProcess.WhenReady(
            SiloProcess.StartOther(
                "Silo.dll",
                place,
                [
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Origin),
                    ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
                    ("OTEL_BSP_SCHEDULE_DELAY", "100"),
                ]
            )
        );

        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{place.Http}/api/crawls")
        {
            Content = JsonContent.Create(
                new
                {
                    seeds = new[] { site.UrlOf("/") },
                    delay = "0s",
                    allowPrivate = new[] { "127.0.0.0/8" },
                }
            ),
            Headers = { { "traceparent", $"00-{Trace}-b7ad6b7169203331-01" } },
        };
        using var answer = await http.SendAsync(request, cancel);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(cancel));

        foreach (var span in (string[])["POST /api/crawls/", "ICrawlListGrain/Start", "ICrawlGrain/Begin", "IHostGrain/Add", "fetch"])
        {
            await Wait.For(collector.WhenSeen(Trace, span), $"the span '{span}'");
        }
    }
}
