using System.Text.RegularExpressions;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Browser;

public sealed partial class OrdersTests(PageSilo silo, Chromium chromium) : PageTest(silo, chromium)
{
    [Fact]
    public async Task AnOrderIsFoundAndPaidAndItsTimeLineAndProofAreSeen()
    {
        var customer = $"ann-{Guid.NewGuid():N}";
        await Silo.Order(customer, "<img src=x onerror=alert(1)>");
        await LogIn(Silo.Writer, "/orders");
        await Visitor.Page.GetByLabel("Customer").FillAsync(customer);
        await Visitor.Page.Locator("main button[type=submit]").ClickAsync();
        await Expect(Visitor.Page).ToHaveURLAsync(new Regex(@"/orders\?customer="));
        await Expect(Visitor.Page.Locator("main")).ToContainTextAsync("1 shown");
        await Visitor.Page.Locator("tbody tr").Filter(new() { HasTextString = customer }).Locator("a").ClickAsync();
        await Visitor.Sees("<img src=x onerror=alert(1)>");

        await Visitor.Act("Pay", async question => await Expect(question).ToContainTextAsync("orders pay "));

        await Visitor.IsTold("The order is paid now.");
        await Visitor.Sees("order.paid");
        await Expect(Visitor.Page.Locator("main > p fluent-badge")).ToHaveTextAsync("paid");
        var proven = Visitor.Page.Locator(".timeline li").Filter(new() { HasTextRegex = AuditedAndProven() });
        await Expect(proven.Filter(new() { HasTextString = "order.placed" })).ToHaveCountAsync(1);
        await Expect(proven.Filter(new() { HasTextString = "order.paid" })).ToHaveCountAsync(1);
        await Visitor.Sees("was signed");
    }

    [Fact]
    public async Task ATryToTellSomebodyIsSeenWithItsAnswerAsText()
    {
        const string Answer = "<b onclick=alert(1)>not</b> here";
        await using var site = await WebSite.Start(Doubles.Net.LoopbackNetwork.Instance);
        site.Add("/teapot", SiteAnswer.Text(Answer) with { Status = 410 });
        // No other test ships: what another order's change comes to would disable the endpoint before.
        await Silo.Say("orders", "webhooks", "add", site.UrlOf("/teapot"), "--events", "shipped");
        var order = await Silo.Order($"dee-{Guid.NewGuid():N}");
        await Silo.Take(order, "pay");
        await LogIn(Silo.Writer, $"/orders/{order}");

        await Visitor.Act("Ship");

        var answered = Visitor.Page.Locator(".timeline li").Filter(new() { HasTextString = Answer });
        await Expect(answered.First).ToContainTextAsync("is told of order.shipped");
        await Visitor.Page.Locator(".timeline li.bad").First.WaitForAsync();
    }

    /// <summary>Endpoints of other tests are told of the order, too, and leave entries of their own.</summary>
    [GeneratedRegex(@"^\s*order\.\w+\s[\s\S]*audit\s+\d+, proven")]
    private static partial Regex AuditedAndProven();
}
