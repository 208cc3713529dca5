using System.Net;
using System.Net.WebSockets;
using Xunit;

namespace Browser;

/// <summary>What the page answers to other sites, and to those who are not logged in.</summary>
public sealed class OtherSitesTests(PageSilo silo) : IAsyncLifetime, IDisposable
{
    private readonly HttpClient _http = new(new HttpClientHandler { AllowAutoRedirect = false }) { Timeout = Wait.HangBound };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await silo.Started();

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task ASocketOfAnotherSiteIsRefused()
    {
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Origin", "http://evil.example");
        socket.Options.SetRequestHeader("X-Api-Key", silo.Reader);

        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(new Uri($"ws://{silo.Place.Http}/_blazor?id=x"), Cancel));

        Assert.Equal(
            HttpStatusCode.Forbidden,
            await Status(HttpMethod.Post, "/_blazor/negotiate?negotiateVersion=1", "http://evil.example")
        );
    }

    [Fact]
    public async Task WithoutALoginThereIsNoCircuitAndEveryViewLeadsToTheLogin()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, await Status(HttpMethod.Post, "/_blazor/negotiate?negotiateVersion=1"));
        foreach (var view in (string[])["/", "/crawls", "/logs", "/orders", "/destinations", "/dead-letters", "/cluster"])
        {
            using var answer = await _http.GetAsync(new Uri(silo.Home, view), Cancel);
            Assert.Equal($"/login?return={Uri.EscapeDataString(view)}", answer.Headers.Location?.OriginalString);
        }
    }

    [Fact]
    public async Task APageLoadsNothingFromElsewhereAndHasNoScriptOfItsOwn()
    {
        using var answer = await _http.GetAsync(new Uri(silo.Home, "/login"), Cancel);

        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'self'; script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotMatch("<script(?![^>]* src=\"/)", await answer.Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task AFormOfAnotherSiteLogsNobodyInAndNobodyOut()
    {
        foreach (var path in (string[])["/session", "/session/end"])
        {
            using var form = new FormUrlEncodedContent([new("key", silo.Reader)]);
            using var answer = await _http.PostAsync(new Uri(silo.Home, path), form, Cancel);
            Assert.DoesNotContain(
                "page-",
                answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? string.Join(' ', cookies) : "",
                StringComparison.Ordinal
            );
        }
    }

    private async Task<HttpStatusCode> Status(HttpMethod method, string path, string? origin = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(silo.Home, path));
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
            request.Headers.Add("X-Api-Key", silo.Reader);
        }

        using var answer = await _http.SendAsync(request, Cancel);
        return answer.StatusCode;
    }
}
