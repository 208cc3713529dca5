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

    /// <summary>
    /// The session is over before the answer to the logout is here, and the page, which had lost its circuit by then, was loaded anew: so
    /// the login that came up led whoever logged in next to that page, which may be none of theirs.
    /// </summary>
    [Fact]
    public async Task WhoeverLogsInAfterALogoutIsNotLedToThePageOfBefore()
    {
        await LogIn(Silo.Operator, "/cluster");
        await Visitor.Page.EvaluateAsync(
            """
            navigation.addEventListener('navigate', event => {
              if (event.navigationType === 'reload') { sessionStorage.setItem('reloaded', 'yes'); }
            });
            window.fetch = () => Promise.resolve(new Response(null, { status: 401 }));
            addEventListener('submit', () => document.getElementById('components-reconnect-modal')
              .dispatchEvent(new CustomEvent('components-reconnect-state-changed', { detail: { state: 'show' } })));
            """
        );
        await Visitor.Page.GetByText("Log out").ClickAsync();

        await Expect(Visitor.Page).ToHaveURLAsync(new Regex("/login$"));
        Assert.Null(await Visitor.Page.EvaluateAsync<string?>("sessionStorage.getItem('reloaded')"));
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
