using System.Net;
using System.Text.RegularExpressions;
using Xunit;

namespace EndToEnd;

/// <summary>The page of the API at <c>/api</c>, as a browser loads it; what it shows, <c>tests/Browser</c> looks at.</summary>
public sealed class ApiPageTests(ReadySilo silo) : IDisposable
{
    private readonly HttpClient _http = new() { Timeout = Wait.HangBound };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task ThePageLoadsNothingButWhatTheSiloHas()
    {
        using var page = await _http.GetAsync(await Url("/api"), Cancel);
        var html = await page.Content.ReadAsStringAsync(Cancel);

        Assert.Equal(
            (HttpStatusCode.OK, "text/html", "/api/"),
            (page.StatusCode, page.Content.Headers.ContentType?.MediaType, page.RequestMessage?.RequestUri?.AbsolutePath)
        );
        var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self' 'nonce-", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe-eval", policy, StringComparison.Ordinal);
        Assert.DoesNotMatch("(src|href)=\"(https?:)?//", html);
        Assert.Contains("openapi/v1.json", html, StringComparison.Ordinal);
        foreach (Match script in Regex.Matches(html, "src=\"([^\"]+)\""))
        {
            using var answer = await _http.GetAsync(new Uri(await Url("/api/"), script.Groups[1].Value), Cancel);
            Assert.Equal((HttpStatusCode.OK, "text/javascript"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        }
    }

    [Fact]
    public async Task APathOfTheApiThatIsNotKnownIsNoPage()
    {
        using var answer = await _http.GetAsync(await Url("/api/nothing"), Cancel);
        Assert.Equal(
            (HttpStatusCode.NotFound, "application/problem+json"),
            (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType)
        );
    }

    [Fact]
    public async Task TheHeadOfEveryAnswerIsThere()
    {
        foreach (
            var path in new[]
            {
                "/",
                "/api",
                "/openapi/v1.json",
                "/health",
                "/metrics",
                "/api/crawls",
                "/api/logs/tail",
                "/api/orders/watch",
            }
        )
        {
            using var request = new HttpRequestMessage(HttpMethod.Head, await Url(path));
            using var answer = await Wait.For(_http.SendAsync(request, Cancel), $"the head of {path}");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("", await answer.Content.ReadAsStringAsync(Cancel));
        }
    }

    private async Task<Uri> Url(string path)
    {
        await silo.Started();
        return new($"http://{silo.Place.Http}{path}");
    }
}
