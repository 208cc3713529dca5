using Xunit;

namespace Browser;

public sealed class ClusterTests(PageSilo silo, Chromium chromium) : PageTest(silo, chromium)
{
    [Fact]
    public async Task AnOperatorSeesSilosAndKeysAndAReaderDoesNot()
    {
        await LogIn(Silo.Operator, "/cluster");
        await Visitor.Sees("silo-0");
        await Visitor.Sees("cluster status");
        await Visitor.Page.GetByText("Log out").ClickAsync();

        await Visitor.Page.FillAsync("#key", Silo.Reader);
        await Visitor.Page.ClickAsync("button[type=submit]");
        await Visitor.IsLive();
        Assert.Equal(0, await Visitor.Page.Locator("nav a[href='/cluster']").CountAsync());
        Assert.Equal(403, (await Visitor.Page.GotoAsync("/cluster"))!.Status);
    }
}
