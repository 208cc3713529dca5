using System.Text.RegularExpressions;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Browser;

public sealed class LoginTests(PageSilo silo, Chromium chromium) : PageTest(silo, chromium)
{
    [Fact]
    public async Task AWrongKeyIsRefusedAndARightOneLeadsToWhereTheVisitorWantedToGo()
    {
        await Visitor.Page.GotoAsync("/crawls");
        Assert.StartsWith("/login", new Uri(Visitor.Page.Url).AbsolutePath, StringComparison.Ordinal);
        await Visitor.Page.FillAsync("#key", "looks.wrong");
        await Visitor.Page.ClickAsync("button[type=submit]");
        await Visitor.Sees("This API key is not known, or was revoked.");

        await Visitor.Page.FillAsync("#key", Silo.Reader);
        await Visitor.Page.ClickAsync("button[type=submit]");
        await Visitor.IsLive();

        Assert.Equal("/crawls", new Uri(Visitor.Page.Url).AbsolutePath);
        var cookie = Assert.Single(await Visitor.Page.Context.CookiesAsync(), cookie =>
            cookie.Name.StartsWith("page-", StringComparison.Ordinal) && cookie.Name != "page-form"
        );
        Assert.True(cookie.HttpOnly);
        Assert.Equal(Microsoft.Playwright.SameSiteAttribute.Lax, cookie.SameSite);
    }

    [Fact]
    public async Task ARevokedKeyEndsWhatItsHolderHasOpen()
    {
        var key = (await Silo.Say("keys", "add", "short", "--role", "reader")).Single();
        await LogIn(key);

        await Silo.Say("keys", "revoke", "short");

        await Expect(Visitor.Page).ToHaveURLAsync(new Regex("/login"));
    }

    [Fact]
    public async Task ALogoutEndsTheOtherTabsOfItsBrowserToo()
    {
        await LogIn(Silo.Reader);
        var other = await Visitor.Page.Context.NewPageAsync();
        await other.GotoAsync("/");
        await other.WaitForSelectorAsync("main[data-live]");

        await Visitor.Page.GetByText("Log out").ClickAsync();

        await Expect(Visitor.Page).ToHaveURLAsync(new Regex("/login"));
        await Expect(other).ToHaveURLAsync(new Regex("/login"));
    }
}
