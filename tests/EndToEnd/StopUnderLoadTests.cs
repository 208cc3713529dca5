using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Doubles.Logs;
using Xunit;

namespace EndToEnd;

/// <summary>
/// SIGTERM while all three systems are at work: the silo leaves in order, and whoever asked meanwhile is told to ask again, never that it
/// failed.
/// </summary>
public sealed class StopUnderLoadTests : IDisposable
{
    private const int Rounds = 4;
    private const int Pages = 3000;
    private const int PagesInRound = 100;
    private const int OrdersInRound = 200;

    private static readonly TimeSpan Stop = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly SiloPlace _place = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(60) };
    private readonly ConcurrentDictionary<(string Path, HttpStatusCode Status), int> _answers = new();
    private int _placed;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _http.Dispose();
        _place.Dispose();
    }

    [Fact]
    public async Task ASiloThatIsStoppedUnderLoadExitsWithZeroAndAnswersNobodyWithAFailure()
    {
        await using var site = await CrawledSite.Start(Pages);
        for (var round = 1; round <= Rounds; round++)
        {
            await using var silo = await SiloProcess.StartReady(_place, "--Limits:PerKey", "100000", "--Limits:InAll", "100000");
            if (round == 1)
            {
                using var crawl = await _http.PostAsJsonAsync(
                    Url("/api/crawls"),
                    new
                    {
                        seeds = new[] { site.Seed },
                        delay = "0",
                        concurrency = 8,
                        allowPrivate = new[] { "127.0.0.1" },
                    },
                    Cancel
                );
                Assert.True(crawl.IsSuccessStatusCode, await crawl.Content.ReadAsStringAsync(Cancel));
            }

            var enough = Volatile.Read(ref _placed) + OrdersInRound;
            var placed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var loads = Enumerable
                .Range(0, 8)
                .Select(number =>
                    Load(
                        "/api/orders",
                        () => Order($"{round}-{number}"),
                        () =>
                        {
                            if (Interlocked.Increment(ref _placed) >= enough)
                            {
                                placed.TrySetResult();
                            }
                        }
                    )
                )
                .Concat(Enumerable.Range(0, 2).Select(number => Load("/v1/logs", () => Logs(round, number), () => { })))
                .Append(
                    Load(
                        "/api/logs",
                        () => new StringContent("""{"message":"one"}""" + "\n", Encoding.UTF8, "application/x-ndjson"),
                        () => { }
                    )
                )
                .ToList();
            await Task.WhenAll(placed.Task, site.WhenAsked(PagesInRound * round)).WaitAsync(Patience, Cancel);

            silo.Terminate();

            Assert.True(
                await silo.Exit.WaitAsync(Stop, Cancel) == 0,
                string.Join(Environment.NewLine, silo.Errors.Concat(silo.Output).TakeLast(60))
            );
            await Task.WhenAll(loads).WaitAsync(Patience, Cancel);
        }

        Assert.DoesNotContain(_answers, answer =>
            answer.Key.Status
                is not (HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
        );
    }

    /// <summary>Asks again and again until nobody listens any more, and counts the answers.</summary>
    private async Task Load(string path, Func<HttpContent> body, Action succeeded)
    {
        for (var number = 0; ; number++)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, Url(path)) { Content = body() };
                request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString("N"));
                using var answer = await _http.SendAsync(request, Cancel);
                _answers.AddOrUpdate((path, answer.StatusCode), 1, (_, count) => count + 1);
                if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
                {
                    Assert.NotNull(answer.Headers.RetryAfter);
                }
                else if (answer.IsSuccessStatusCode)
                {
                    succeeded();
                }
            }
            catch (HttpRequestException)
            {
                return;
            }
        }
    }

    private static StringContent Order(string customer) =>
        new(
            JsonSerializer.Serialize(
                new
                {
                    customer,
                    currency = "EUR",
                    lines = new[]
                    {
                        new
                        {
                            sku = "tea",
                            quantity = 2,
                            price = 450,
                        },
                    },
                }
            ),
            Encoding.UTF8,
            "application/json"
        );

    private static ByteArrayContent Logs(int round, int number) =>
        new(
            OtlpProto.Encode(
                OtlpRequest.Of(
                    $"service-{number}",
                    [
                        new OtlpRecord
                        {
                            Time = 1_795_000_000_000_000_000ul + (ulong)round,
                            Severity = 9,
                            Body = new OtlpString(Guid.NewGuid().ToString()),
                        },
                    ]
                )
            )
        )
        {
            Headers = { ContentType = new MediaTypeHeaderValue("application/x-protobuf") },
        };

    private Uri Url(string path) => new($"http://{_place.Http}{path}");
}
