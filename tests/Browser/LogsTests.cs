using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Browser;

public sealed class LogsTests(PageSilo silo, Chromium chromium) : PageTest(silo, chromium)
{
    [Fact]
    public async Task ARecordIsFoundUnfoldedFilteredByAClickAndSeenInTheTail()
    {
        var service = $"till-{Guid.NewGuid():N}";
        await Silo.Log(service, "first <b>sale</b>", 42);
        await LogIn(Silo.Reader, $"/logs?q=service:{service}");
        await Visitor.Page.Locator(".record summary").First.ClickAsync();
        await Visitor.Sees("first <b>sale</b>");
        await Visitor.Page.Locator(".unfolded").GetByRole(AriaRole.Link, new() { Name = "42", Exact = true }).ClickAsync();
        await Expect(Visitor.Page.GetByLabel("Query")).ToHaveValueAsync($"service:{service} user.id:42");
        await Expect(Visitor.Page.Locator(".record")).ToHaveCountAsync(1);

        await Visitor.Link("Live tail").ClickAsync();
        await Visitor.Sees("Watching what is stored from now on.");
        await Silo.Log(service, "second sale", 42);
        await Visitor.Sees("second sale");
    }

    [Fact]
    public async Task AWrongQueryIsToldUnderItsCaretAsItIsTyped()
    {
        await LogIn(Silo.Reader, "/logs");

        await Visitor.Page.GetByLabel("Query").FillAsync("(service:a");

        await Expect(Visitor.Page.Locator("#query-error pre")).ToContainTextAsync("^ column");
    }
}
