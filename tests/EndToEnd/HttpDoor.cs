using System.Text;
using Xunit;

namespace EndToEnd;

/// <summary>The HTTP endpoint of a silo, asked as curl does.</summary>
internal sealed class HttpDoor(SiloPlace place) : IDisposable
{
    private readonly HttpClient _http = new() { Timeout = Wait.HangBound };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _http.Dispose();

    /// <summary>Makes an API key at the console; the key.</summary>
    public async Task<string> AddKey(string name, string role)
    {
        await using var console = await ConsoleProcess.Reach("keys", "add", name, "--role", role, "--gateway", place.Gateway.ToString());
        return Assert.Single(console.Output);
    }

    /// <summary>The status, and the kind of content.</summary>
    public async Task<(int, string?)> Knock(
        HttpMethod method,
        string path,
        string? key = null,
        string? body = null,
        string type = "application/json"
    )
    {
        using var request = new HttpRequestMessage(method, Url(path))
        {
            Content = body is null ? null : new StringContent(body, Encoding.UTF8, type),
        };
        if (key is not null)
        {
            request.Headers.Add("X-Api-Key", key);
        }

        using var answer = await _http.SendAsync(request, Cancel);
        return ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType);
    }

    public Uri Url(string path) => new($"http://{place.Http}{path}");
}
