using Xunit;

namespace Browser;

/// <summary>A test of the page: the silo, and a visitor of its own.</summary>
public abstract class PageTest(PageSilo silo, Chromium chromium) : IAsyncLifetime
{
    private Visitor? _visitor;

    protected PageSilo Silo => silo;

    protected Visitor Visitor => _visitor!;

    public async ValueTask InitializeAsync()
    {
        await silo.Started();
        _visitor = await chromium.Visit(silo.Home);
    }

    public async ValueTask DisposeAsync()
    {
        if (_visitor is not null)
        {
            var failures = _visitor.Failures;
            if (TestContext.Current.TestState?.Result == TestResult.Failed)
            {
                TestContext.Current.TestOutputHelper?.WriteLine(await _visitor.WhatIsSeen());
            }

            await _visitor.DisposeAsync();
            Assert.Empty(failures);
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Opens an address, and logs in where the login comes up instead.</summary>
    protected async Task LogIn(string key, string path = "/")
    {
        await Visitor.Page.GotoAsync(path);
        await Visitor.Page.FillAsync("#key", key);
        await Visitor.Page.ClickAsync("button[type=submit]");
        await Visitor.IsLive();
    }
}
