using System.Text.RegularExpressions;
using Xunit;

namespace Browser;

public sealed partial class DestinationsTests(PageSilo silo, Chromium chromium) : PageTest(silo, chromium)
{
    [Fact]
    public async Task AnEndpointThatRefusesLeavesADeadLetterThatIsReplayedByAClick()
    {
        await using var site = await WebSite.Start(Doubles.Net.LoopbackNetwork.Instance);
        site.Add("/hook", SiteAnswer.Empty(410));
        await LogIn(Silo.Operator, "/destinations");
        await Visitor.Button("Add an endpoint").First.ClickAsync();
        await Visitor.Page.GetByLabel("URL").FillAsync(site.UrlOf("/hook"));
        await Visitor.Page.Locator(".ask button.primary").ClickAsync();
        await Visitor.Sees("it is shown here and nowhere else");
        await Visitor.Page.GetByRole(Microsoft.Playwright.AriaRole.Link, new() { Name = site.UrlOf("/hook") }).ClickAsync();

        await Silo.Say("orders", "place", "--customer", "bob", "--line", "tea:1:450");
        await Visitor.Page.GetByText("Its dead letters").ClickAsync();
        site.Add("/hook", SiteAnswer.Empty(204));
        await Visitor.Page.GoBackAsync();
        await Visitor.Button("Enable").First.ClickAsync();
        await Visitor.Page.Locator(".ask button.primary").ClickAsync();
        await Visitor.Sees("Requests go out again.");
        await Visitor.Page.GetByText("Its dead letters").ClickAsync();
        await Visitor.Button("Replay all of these").First.ClickAsync();
        await Visitor.Page.Locator(".ask button.primary").ClickAsync();

        // Other tests place orders at the same silo.
        await Visitor.Page.GetByText(ReplayedSome()).First.WaitForAsync();
        await Wait.Until(() => site.Ledger.Requests.Count(request => request.Target == "/hook") >= 2, "the endpoint to be told again");
    }

    [GeneratedRegex(@"\d+ replayed")]
    private static partial Regex ReplayedSome();
}
