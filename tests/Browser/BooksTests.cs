using Xunit;

namespace Browser;

public sealed class BooksTests(PageSilo silo, Chromium chromium) : PageTest(silo, chromium)
{
    [Fact]
    public async Task TheBooksAreSeenAndMoveByThemselves()
    {
        await LogIn(Silo.Reader);
        var orders = Visitor.Page.GetByLabel("orders steps");
        var before = await orders.Locator(".equation b").First.InnerTextAsync();
        await Visitor.Sees("The books balance.");

        await Silo.Say("orders", "place", "--customer", "ann", "--line", "tea:2:450");

        await Microsoft
            .Playwright.Assertions.Expect(orders.Locator(".equation b").First)
            .Not.ToHaveTextAsync(before, new() { Timeout = 120_000 });
    }
}
