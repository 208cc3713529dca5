using System.Text.RegularExpressions;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Browser;

public sealed partial class DestinationsTests(PageSilo silo, Chromium chromium) : PageTest(silo, chromium)
{
    [Fact]
    public async Task AnEndpointThatRefusesLeavesADeadLetterThatIsReplayedByAClick()
    {
        await using var site = await WebSite.Start(Doubles.Net.LoopbackNetwork.Instance);
        site.Add("/hook", SiteAnswer.Empty(410));
        await LogIn(Silo.Operator, "/destinations");
        await Visitor.Act("Add an endpoint", question => question.GetByLabel("URL").FillAsync(site.UrlOf("/hook")));
        await Visitor.IsTold("it is shown here and nowhere else");
        await Visitor.Link(site.UrlOf("/hook")).ClickAsync();

        await Silo.Order("bob");
        await Visitor.Link("Its dead letters").WaitForAsync();
        site.Add("/hook", SiteAnswer.Empty(204));
        await Visitor.Act("Enable");
        await Visitor.IsTold("Requests go out again.");
        await Visitor.Link("Its dead letters").ClickAsync();
        await Visitor.Act("Replay all of these");

        // Other tests place orders at the same silo.
        await Visitor.Page.Locator(".outcomes").GetByText(ReplayedSome()).First.WaitForAsync();
        await Wait.Until(() => site.Ledger.Requests.Count(request => request.Target == "/hook") >= 2, "the endpoint to be told again");
    }

    [Fact]
    public async Task AnEndpointIsPausedByAClickAndWhatWaitsIsSentAfterItIsResumed()
    {
        await using var site = await WebSite.Start(Doubles.Net.LoopbackNetwork.Instance);
        site.Add("/hook", SiteAnswer.Empty(204));
        await LogIn(Silo.Operator, "/destinations");
        await Add(site.UrlOf("/hook"), "cancelled");
        await Visitor.Link(site.UrlOf("/hook")).ClickAsync();

        await Visitor.Act("Pause");
        await Visitor.IsTold("It is paused: what comes for it waits.");
        await Silo.Take(await Silo.Order("eve"), "cancel");
        await Expect(Visitor.Tile("waiting")).Not.ToHaveTextAsync("0");
        Assert.Empty(site.Ledger.Requests);

        await Visitor.Act("Resume");
        await Visitor.IsTold("It is resumed");
        await Wait.Until(() => site.Ledger.CountOf("/hook") > 0, "what waited to be sent");
        await Visitor.Page.Locator("main .timeline").GetByText("http-204").First.WaitForAsync();
        await Expect(Visitor.Tile("requests taken")).ToHaveTextAsync("100 %");
    }

    [Fact]
    public async Task AnEndpointIsEditedTestedRotatedAndToldAgainByClicks()
    {
        await using var site = await WebSite.Start(Doubles.Net.LoopbackNetwork.Instance);
        site.Add("/old", SiteAnswer.Empty(204)).Add("/new", SiteAnswer.Empty(204));
        await LogIn(Silo.Operator, "/destinations");
        await Add(site.UrlOf("/old"), "refunded");
        await Visitor.Link(site.UrlOf("/old")).ClickAsync();

        await Visitor.Act("Edit", async question =>
        {
            await question.GetByLabel("URL").FillAsync(site.UrlOf("/new"));
            await question.GetByLabel("Requests a second").FillAsync("50");
            await question.GetByLabel("Old secret").FillAsync("30m");
            await Expect(question).ToContainTextAsync("--rate 50 --grace 30m");
        });
        await Visitor.IsTold("The endpoint is changed.");
        await Visitor.Page.Locator("h1").GetByText(site.UrlOf("/new")).WaitForAsync();
        await Visitor.Sees("50 a second");

        await Visitor.Act("Test");
        await Visitor.IsTold("http-204 after");
        Assert.Equal(1, site.Ledger.CountOf("/new"));

        await Visitor.Act("Rotate the secret");
        await Visitor.IsTold("The new secret is whsec_");

        await Silo.Take(await Silo.Order("fay"), "pay", "refund");
        await Visitor.Page.Locator("main .timeline").GetByText("http-204").First.WaitForAsync();
        var before = site.Ledger.CountOf("/new");
        await Visitor.Act("Send again", question => question.GetByLabel("Since").FillAsync("1h"));
        await Visitor.IsTold("made once more");
        await Wait.Until(() => site.Ledger.CountOf("/new") > before, "a delivery to be made once more");
        Assert.Equal(0, site.Ledger.CountOf("/old"));
    }

    /// <summary>For changes that no other test makes: all share one silo, and what others do goes to every endpoint that wants it.</summary>
    private async Task Add(string url, string events)
    {
        await Visitor.Act("Add an endpoint", async question =>
        {
            await question.GetByLabel("URL").FillAsync(url);
            await question.GetByLabel("Changes it wants").FillAsync(events);
            await Expect(question).ToContainTextAsync($"--events {events}");
        });
        await Visitor.IsTold("is told from now on");
    }

    [GeneratedRegex(@"\d+ replayed")]
    private static partial Regex ReplayedSome();
}
