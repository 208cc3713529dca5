using System.Text.Json;
using Microsoft.Playwright;
using Xunit;

namespace Browser;

/// <summary>
/// What takes long: every view at every width, light and dark, empty, full and broken; the rules of accessibility; a silo that dies while
/// somebody watches. With <c>PAGE_PICTURES</c> set to a folder, pictures of all views are left there to be looked at.
/// </summary>
[Trait("Kind", "Campaign")]
public sealed class CampaignTests(PageSilo silo, PageStates states, Chromium chromium) : IClassFixture<PageStates>
{
    [Theory]
    [InlineData(400, false)]
    [InlineData(1000, false)]
    [InlineData(1600, false)]
    [InlineData(400, true)]
    [InlineData(1000, true)]
    [InlineData(1600, true)]
    public async Task EveryViewFitsItsWidthAndRunsNothingThatItShows(int width, bool dark)
    {
        await EachView(width, dark, async (visitor, state, view) =>
        {
            Assert.True(
                await visitor.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"),
                $"{view} ({state}) is wider than {width} pixels."
            );
            Assert.Equal("", await visitor.Page.EvaluateAsync<string>("document.body.id"));
            if (Environment.GetEnvironmentVariable("PAGE_PICTURES") is { Length: > 0 } folder)
            {
                var name = $"{state}{view.Split('?')[0].Replace('/', '-')}{view.Split('?').ElementAtOrDefault(1)?[..6]}";
                var file = $"{name}-{width}-{(dark ? "dark" : "light")}.png";
                await visitor.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, file), FullPage = true });
            }
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NoViewHasASeriousFaultOfAccessibility(bool dark)
    {
        var cancel = TestContext.Current.CancellationToken;
        var folder = await NodeModules.Installed("axe", cancel);
        var rules = await File.ReadAllTextAsync(Path.Combine(folder, "node_modules/axe-core/axe.min.js"), cancel);
        var faults = new List<string>();
        await EachView(1000, dark, async (visitor, state, view) =>
        {
            await visitor.Page.EvaluateAsync(rules);
            var result = await visitor.Page.EvaluateAsync<JsonElement>("axe.run()");
            faults.AddRange(
                result
                    .GetProperty("violations")
                    .EnumerateArray()
                    .Where(fault => fault.GetProperty("impact").GetString() is "serious" or "critical")
                    .Select(fault => $"{view} ({state}): {fault.GetProperty("id")} at {fault.GetProperty("nodes")[0].GetProperty("html")}")
            );
        });
        Assert.Empty(faults);
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

    /// <summary>Opens every view in every state, and hands it over when it shows what it has.</summary>
    private async Task EachView(int width, bool dark, Func<Visitor, string, string, Task> look)
    {
        await Each("full", silo.Home, states.Full);
        await Each("empty", states.EmptyHome, states.Empty);
        await Each("broken", states.BrokenHome, states.Broken);

        async Task Each(string state, Uri home, IReadOnlyList<string> views)
        {
            await using var visitor = await chromium.Visit(home, new ViewportSize { Width = width, Height = 900 }, dark);
            if (state == "full")
            {
                await visitor.Page.GotoAsync("/login");
                await visitor.Page.FillAsync("#key", silo.Operator);
                await visitor.Page.ClickAsync("button[type=submit]");
                await visitor.IsLive();
            }

            foreach (var view in views)
            {
                await visitor.Open(view);
                if (state == "broken")
                {
                    await visitor.Page.Locator("main [role=alert]").First.WaitForAsync();
                }
                else
                {
                    await Assertions.Expect(visitor.Page.Locator("main").GetByText("Reading…")).ToHaveCountAsync(0);
                    await Assertions.Expect(visitor.Page.Locator("main").GetByText("Searching…")).ToHaveCountAsync(0);
                }

                await look(visitor, state, view);
            }

            Assert.Empty(visitor.Failures);
        }
    }
}
