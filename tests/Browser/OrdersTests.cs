using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Browser;

public sealed class OrdersTests(PageSilo silo, Chromium chromium) : PageTest(silo, chromium)
{
    [Fact]
    public async Task AnOrderIsFoundAndPaidAndItsTimeLineAndProofAreSeen()
    {
        var customer = $"ann-{Guid.NewGuid():N}";
        await Silo.Say("orders", "place", "--customer", customer, "--line", "tea:2:450", "--notes", "<img src=x onerror=alert(1)>");
        await LogIn(Silo.Writer, "/orders");
        await Visitor.Page.GetByLabel("Customer").FillAsync(customer);
        await Visitor.Page.Locator("main button[type=submit]").ClickAsync();
        await Visitor.Page.Locator("tbody a").ClickAsync();
        await Visitor.Sees("<img src=x onerror=alert(1)>");

        await Visitor.Button("Pay").First.ClickAsync();
        await Visitor.Sees("orders pay ");
        await Visitor.Page.Locator(".ask button.primary").ClickAsync();

        await Visitor.Sees("order.paid");
        await Expect(Visitor.Page.Locator("main > p fluent-badge")).ToHaveTextAsync("paid", new() { Timeout = 120_000 });
        await Visitor.Sees("2 entries are proven");
    }
}
