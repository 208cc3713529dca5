using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>
/// Asks for orders and steps while silos are killed: each under a key of its own, until it is acknowledged. What was acknowledged is
/// written down here, outside of them.
/// </summary>
internal sealed class OrderLoad : IDisposable
{
    private long _keys;

    /// <summary>Each order's highest version that was acknowledged.</summary>
    public ConcurrentDictionary<string, long> Acknowledged { get; } = new(StringComparer.Ordinal);

    /// <summary>Released with each acknowledgement.</summary>
    public SemaphoreSlim Up { get; } = new(0);

    public void Dispose() => Up.Dispose();

    /// <summary>Ends when so many steps more were acknowledged than at the last call.</summary>
    /// <param name="state">For the message of a test that fails.</param>
    public async Task MoreAcknowledged(int more, Func<string> state)
    {
        for (var i = 0; i < more; i++)
        {
            await Wait.For(Up.WaitAsync(TestContext.Current.CancellationToken), "the next step to be acknowledged", state);
        }
    }

    /// <summary>The order's id when it was acknowledged; null when the test ends.</summary>
    public async Task<string?> Ask(HttpClient http, string path, object? body, CancellationToken stop)
    {
        var key = $"k{Interlocked.Increment(ref _keys)}";
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, path)
                {
                    Content = body is null ? null : JsonContent.Create(body),
                };
                request.Headers.Add("Idempotency-Key", key);
                using var answer = await http.SendAsync(request, stop);
                if (answer.IsSuccessStatusCode)
                {
                    var order = await answer.Content.ReadFromJsonAsync<JsonElement>(stop);
                    var id = order.GetProperty("id").GetString()!;
                    var version = order.GetProperty("version").GetInt64();
                    Acknowledged.AddOrUpdate(id, version, (_, known) => Math.Max(known, version));
                    Up.Release();
                    return id;
                }

                Assert.True(
                    answer.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError,
                    await answer.Content.ReadAsStringAsync(stop)
                );
            }
            catch (Exception gone)
                when (gone is HttpRequestException or IOException or JsonException
                    || (gone is OperationCanceledException && !stop.IsCancellationRequested)
                )
            {
                // The silo was killed: asked again under the same key.
            }
            catch (OperationCanceledException)
            {
                return null;
            }

            await Task.Delay(20, CancellationToken.None);
        }

        return null;
    }

    /// <summary>Asks at one door after the other, beginning with <paramref name="door"/>, until it is acknowledged.</summary>
    public static async Task<JsonElement> Ask(HttpClient http, string path, string key, string? body, IPEndPoint[] doors, int door)
    {
        using var patience = new CancellationTokenSource(Wait.HangBound);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var request = new HttpRequestMessage(
                    HttpMethod.Post,
                    $"http://{doors[(door + attempt) % doors.Length]}/api/orders{path}"
                );
                request.Headers.Add("Idempotency-Key", key);
                request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
                using var answer = await http.SendAsync(request, patience.Token);
                var text = await answer.Content.ReadAsStringAsync(patience.Token);
                if (answer.IsSuccessStatusCode)
                {
                    return JsonElement.Parse(text);
                }

                Assert.True(
                    answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.InternalServerError
                        || text.Contains("at this moment", StringComparison.Ordinal),
                    $"{path} {key}: {answer.StatusCode} {text}"
                );
            }
            catch (Exception e)
                when (!patience.IsCancellationRequested && e is HttpRequestException or OperationCanceledException or IOException)
            {
                // That silo is away, stands still, or its grains are away.
            }

            await Task.Delay(50, patience.Token);
        }
    }
}
