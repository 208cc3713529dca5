using System.Text.Json;
using Microsoft.Playwright;
using Xunit;

namespace Browser;

/// <summary>What takes long: every view at every width, light and dark; the rules of accessibility; a silo that dies while somebody watches.</summary>
[Trait("Kind", "Campaign")]
public sealed class CampaignTests(PageSilo silo, Chromium chromium)
{
    private static readonly string[] s_views =
    [
        "/",
        "/crawls",
        "/logs",
        "/logs/tail",
        "/logs/rules",
        "/orders",
        "/destinations",
        "/dead-letters",
        "/cluster",
        "/crawls/none",
        "/orders/none",
        "/destinations/none",
    ];

    [Theory]
    [InlineData(400, false)]
    [InlineData(1000, false)]
    [InlineData(1600, false)]
    [InlineData(400, true)]
    [InlineData(1000, true)]
    [InlineData(1600, true)]
    public async Task EveryViewFitsItsWidth(int width, bool dark)
    {
        await using var visitor = await LogIn(width, dark);
        foreach (var view in s_views)
        {
            await visitor.Open(view);
            Assert.True(
                await visitor.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"),
                $"{view} is wider than {width} pixels."
            );
            if (Environment.GetEnvironmentVariable("PAGE_PICTURES") is { Length: > 0 } folder)
            {
                var name = $"{view.Replace('/', '-')}-{width}-{(dark ? "dark" : "light")}.png";
                await visitor.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, name), FullPage = true });
            }
        }

        Assert.Empty(visitor.Failures);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NoViewHasASeriousFaultOfAccessibility(bool dark)
    {
        var cancel = TestContext.Current.CancellationToken;
        var folder = await NodeModules.Installed("axe", cancel);
        var rules = await File.ReadAllTextAsync(Path.Combine(folder, "node_modules/axe-core/axe.min.js"), cancel);
        await using var visitor = await LogIn(1000, dark);
        foreach (var view in s_views)
        {
            await visitor.Open(view);
            await visitor.Page.EvaluateAsync(rules);
            var result = await visitor.Page.EvaluateAsync<JsonElement>("axe.run()");
            var serious = result
                .GetProperty("violations")
                .EnumerateArray()
                .Where(fault => fault.GetProperty("impact").GetString() is "serious" or "critical")
                .Select(fault => $"{view}: {fault.GetProperty("id")} at {fault.GetProperty("nodes")[0].GetProperty("target")}");
            Assert.Empty(serious);
        }
    }

    [Fact]
    public async Task AViewerWhoseSiloDiesIsToldAndGoesOnWithTheNextOne()
    {
        using var place = new SiloPlace();
        await using var first = await SiloProcess.StartReady(place);
        await using var visitor = await chromium.Visit(new Uri($"http://{place.Http}/"));
        await visitor.Open("/");
        await visitor.Page.EvaluateAsync("document.body.dataset.first = 'yes'");

        await first.Kill9();
        await visitor.Page.GetByText("The connection to the silo is lost.").WaitForAsync();

        await using var second = await SiloProcess.StartReady(place);
        await visitor.Page.WaitForSelectorAsync("body:not([data-first]) main[data-live]");
        await visitor.Sees("The books balance.");
    }

    private async Task<Visitor> LogIn(int width, bool dark)
    {
        await silo.Started();
        var visitor = await chromium.Visit(silo.Home, new ViewportSize { Width = width, Height = 900 }, dark);
        await visitor.Page.GotoAsync("/");
        await visitor.Page.FillAsync("#key", silo.Operator);
        await visitor.Page.ClickAsync("button[type=submit]");
        await visitor.IsLive();
        return visitor;
    }
}
