using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Browser;

/// <summary>What is seen before the circuit is there, and where it does not come.</summary>
public sealed class CircuitTests(PageSilo silo, Chromium chromium)
{
    private const string Negotiation = "**/_blazor/negotiate*";

    [Fact]
    public async Task TheFirstPictureTakesNoClickThatWouldBeLostAndAFailedCircuitIsTriedAgainByThePage()
    {
        await silo.Started();
        await using var visitor = await chromium.Visit(silo.Home);
        await visitor.Page.GotoAsync("/login?return=/crawls");
        await visitor.Page.FillAsync("#key", silo.Writer);
        var refused = new TaskCompletionSource<IRoute>();
        await visitor.Page.RouteAsync(Negotiation, route => Held(route, refused));

        await visitor.Page.ClickAsync("button[type=submit]");
        var first = await Wait.For(refused.Task, "a circuit to be asked for", () => visitor.Page.Url);
        await Expect(visitor.Page.Locator("main[inert]")).ToHaveCountAsync(1);
        await visitor.Sees("Connecting to the silo.");

        await first.FulfillAsync(new() { Status = 503 });
        await visitor.IsLive();
        await visitor.Button("Start a crawl").ClickAsync();
        await visitor.Sees("Start a crawl of these pages?");
    }

    /// <summary>The first one waits to be answered; those after it go their way.</summary>
    private static Task Held(IRoute route, TaskCompletionSource<IRoute> held) =>
        held.TrySetResult(route) ? Task.CompletedTask : route.ContinueAsync();
}
