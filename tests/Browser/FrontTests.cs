using System.Text.RegularExpressions;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Browser;

public sealed class FrontTests(PageSilo silo, Chromium chromium) : PageTest(silo, chromium)
{
    [Fact]
    public async Task ALoginAtASiloIsGoodAtAFrontAndALogoutThereEndsBoth()
    {
        await LogIn(Silo.Reader);
        using var place = Silo.Place.Beside();
        await using var front = await SiloProcess.StartReady(place, ["--Cluster:Role", "Front", .. PageSilo.Settings]);
        var other = await Visitor.Page.Context.NewPageAsync();
        await other.GotoAsync($"http://{place.Http}/");
        await other.WaitForSelectorAsync("main[data-live]");

        await other.GetByText("Log out").ClickAsync();

        await Expect(other).ToHaveURLAsync(new Regex("/login"));
        await Expect(Visitor.Page).ToHaveURLAsync(new Regex("/login"));
    }
}
