using System.Text;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Browser;

public sealed class LogsTests(PageSilo silo, Chromium chromium) : PageTest(silo, chromium), IDisposable
{
    private readonly HttpClient _http = new() { Timeout = Wait.HangBound };

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task ARecordIsFoundUnfoldedFilteredByAClickAndSeenInTheTail()
    {
        var service = $"till-{Guid.NewGuid():N}";
        await Send(service, "first <b>sale</b>", 42);
        await LogIn(Silo.Reader, $"/logs?q=service:{service}");
        await Visitor.Page.Locator(".record summary").ClickAsync();
        await Visitor.Sees("first <b>sale</b>");
        await Visitor.Page.Locator(".unfolded").GetByText("42").ClickAsync();
        await Expect(Visitor.Page.GetByLabel("Query")).ToHaveValueAsync($"service:{service} user.id:42", new() { Timeout = 120_000 });
        await Expect(Visitor.Page.Locator(".record")).ToHaveCountAsync(1, new() { Timeout = 120_000 });

        await Visitor.Page.GetByText("Live tail").ClickAsync();
        await Visitor.Sees("Watching what is stored from now on.");
        await Send(service, "second sale", 42);
        await Visitor.Sees("second sale");
    }

    [Fact]
    public async Task AWrongQueryIsToldUnderItsCaretAsItIsTyped()
    {
        await LogIn(Silo.Reader, "/logs");

        await Visitor.Page.GetByLabel("Query").FillAsync("(service:a");

        await Expect(Visitor.Page.Locator("#query-error pre")).ToContainTextAsync("^ column", new() { Timeout = 120_000 });
    }

    private async Task Send(string service, string body, int user)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Silo.Home, "/api/logs"))
        {
            Content = new StringContent(
                $$$"""{"service":"{{{service}}}","severity":"error","body":"{{{body}}}","attributes":{"user.id":{{{user}}}}}""" + "\n",
                Encoding.UTF8,
                "application/x-ndjson"
            ),
        };
        request.Headers.Add("X-Api-Key", Silo.Writer);
        using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
