using Xunit;
using static Microsoft.Playwright.Assertions;

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

        await Silo.Order("ann");

        await Expect(orders.Locator(".equation b").First).Not.ToHaveTextAsync(before);
    }
}
