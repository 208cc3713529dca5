using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Xunit;

[assembly: AssemblyFixture(typeof(Browser.Chromium))]

namespace Browser;

/// <summary>The machine's Chromium, without a window, driven by Playwright's library: one for all tests. It starts when the first asks for it.</summary>
public sealed class Chromium : IAsyncDisposable
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];

    /// <summary>Milliseconds for whatever is waited for: for a hang, and not for slowness.</summary>
    private static readonly float Bound = (float)Wait.HangBound.TotalMilliseconds;

    private readonly Lazy<Task<IBrowser>> _browser;
    private IPlaywright? _playwright;

    public Chromium() => _browser = new(Start);

    /// <summary>A browser that knows nothing yet: no cookie, no chosen theme. It fails the test when the page breaks its own policy or a script fails.</summary>
    public async Task<Visitor> Visit(Uri home, ViewportSize? size = null, bool dark = false)
    {
        var context = await (await _browser.Value).NewContextAsync(
            new()
            {
                BaseURL = home.AbsoluteUri,
                ViewportSize = size ?? new() { Width = 1000, Height = 900 },
                ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            }
        );
        context.SetDefaultTimeout(Bound);
        return new(context, await context.NewPageAsync());
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
        {
            await (await _browser.Value).DisposeAsync();
        }

        _playwright?.Dispose();
    }

    private async Task<IBrowser> Start()
    {
        Assertions.SetDefaultExpectTimeout(Bound);
        _playwright = await Playwright.CreateAsync();
        return await _playwright.Chromium.LaunchAsync(
            new()
            {
                ExecutablePath = Find(),
                Args = ["--no-sandbox", "--disable-dev-shm-usage"],
                Timeout = Bound,
            }
        );
    }

    private static string Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .SelectMany(folder => Names.Select(name => Path.Combine(folder, name)))
            .FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException("These tests need Chromium: apt-get install chromium.");
}

/// <summary>Somebody with a browser.</summary>
public sealed class Visitor : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly List<string> _failures = [];

    internal Visitor(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.PageError += (_, error) => Add(error);
        page.Console += (_, line) =>
        {
            if (line.Type == "error" && line.Text.Contains("Content Security Policy", StringComparison.Ordinal))
            {
                Add(line.Text);
            }
        };
    }

    public IPage Page { get; }

    /// <summary>Scripts that failed, and what the policy of the page did not let in.</summary>
    public IReadOnlyList<string> Failures
    {
        get
        {
            lock (_failures)
            {
                return [.. _failures];
            }
        }
    }

    /// <summary>Opens an address and waits until its circuit answers.</summary>
    public async Task Open(string path)
    {
        await Page.GotoAsync(path);
        await IsLive();
    }

    /// <summary>Ends when what is seen is kept up to date: the layout says so once its circuit has rendered it.</summary>
    public Task IsLive() => Page.WaitForSelectorAsync("main[data-live]");

    /// <summary>A button of the view by its whole text.</summary>
    public ILocator Button(string text) =>
        Page.Locator("main").Locator("fluent-button, button").Filter(new() { HasTextRegex = new($"^\\s*{Regex.Escape(text)}\\s*$") }).First;

    /// <summary>A link of the view by its whole text.</summary>
    public ILocator Link(string text) => Page.Locator("main").GetByRole(AriaRole.Link, new() { Name = text, Exact = true }).First;

    /// <summary>The number over a tile's label.</summary>
    public ILocator Tile(string label) => Page.Locator(".tiles > div").Filter(new() { HasTextString = label }).Locator("b");

    /// <summary>Presses the button of something that can be done, and answers its question.</summary>
    /// <param name="fill">More that is asked for, with the question.</param>
    public async Task Act(string label, Func<ILocator, Task>? fill = null)
    {
        await Button(label).ClickAsync();
        var question = Page.GetByRole(AriaRole.Alertdialog, new() { Name = label, Exact = true });
        if (fill is not null)
        {
            await fill(question);
        }

        await question.Locator("button.primary").ClickAsync();
        await question.WaitForAsync(new() { State = WaitForSelectorState.Detached });
    }

    /// <summary>Ends when somewhere on the page stands this text.</summary>
    public Task Sees(string text) => Page.GetByText(text).First.WaitForAsync();

    /// <summary>Ends when what came of an action is told with this text.</summary>
    public Task IsTold(string text) => Page.Locator(".outcomes").GetByText(text).First.WaitForAsync();

    /// <summary>Where the visitor is and what stands there, for the message of a test that fails.</summary>
    public async Task<string> WhatIsSeen()
    {
        var text = await Page.EvaluateAsync<string>("document.body?.innerText ?? ''");
        return $"{Page.Url}, {(await Page.Locator("main[data-live]").CountAsync() > 0 ? "live" : "not live")}:\n{text}";
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();

    private void Add(string failure)
    {
        lock (_failures)
        {
            _failures.Add(failure);
        }
    }
}
