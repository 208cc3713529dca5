using Xunit;

namespace Browser;

/// <summary>The page of the API. A visitor fails where the page breaks its own policy: what it wants from elsewhere would be that.</summary>
public sealed class ApiPageTests(PageSilo silo, Chromium chromium) : PageTest(silo, chromium)
{
    [Fact]
    public async Task ThePageShowsTheOperationsOfThisSilo()
    {
        List<string> elsewhere = [];
        Visitor.Page.Request += (_, request) =>
        {
            if (
                request.Url.StartsWith("http", StringComparison.Ordinal)
                && !request.Url.StartsWith(Silo.Home.AbsoluteUri, StringComparison.Ordinal)
            )
            {
                elsewhere.Add(request.Url);
            }
        };
        await Visitor.Page.GotoAsync("/api");
        await Visitor.Sees("Orleans silo");
        await Visitor.Sees("Needs the key of an operator.");

        Assert.Empty(elsewhere);
    }
}
