using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Client;

/// <summary><c>--quiet</c>: results alone on the output, and nothing else but warnings and failures on the error output.</summary>
public sealed class QuietTests
{
    private readonly ConsoleInMemory _console = new();

    [Theory]
    [InlineData("crawl start http://a.example/ -q", "new0000000")]
    [InlineData("crawl list -q", "abcdefghi0")]
    [InlineData("crawl pause shop --quiet", "abcdefghi0")]
    [InlineData("crawl delete shop --yes -q", "abcdefghi0")]
    [InlineData("crawl add shop http://a.example/1 http://a.example/2 -q", "2")]
    [InlineData("keys add reports --role reader -q", "secret-of-reports")]
    [InlineData("keys list -q", "ci")]
    [InlineData("keys revoke ci -q", "ci")]
    [InlineData("orders webhooks add https://example.org/ -q", "endpoint00 whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("logs rules add drop=>drop -q", "1")]
    public async Task AVerbPrintsTheIdOrTheCountAlone(string verb, string printed)
    {
        _console.Keep(ConsoleInMemory.Crawl());
        _console.Cluster.KnownKeys.Keys.Add(new("ci", Grains.Interfaces.Keys.ApiRole.Reader, ConsoleInMemory.Start));

        var quiet = await _console.Run(verb.Split(' '));

        Assert.Equal((ExitCode.Done, printed + "\n", ""), (quiet.Code, quiet.Output, quiet.Error));
    }

    [Theory]
    [InlineData("crawl list -q")]
    [InlineData("orders list -q")]
    [InlineData("orders webhooks list -q")]
    [InlineData("orders dead-letters list -q")]
    [InlineData("orders suppressions list -q")]
    [InlineData("keys list -q")]
    [InlineData("logs rules list -q")]
    [InlineData("ledger -q")]
    public async Task AnEmptyListIsNothing(string verb)
    {
        var quiet = await _console.Run(verb.Split(' '));

        Assert.Equal((ExitCode.Done, "", ""), (quiet.Code, quiet.Output, quiet.Error));
    }

    [Fact]
    public async Task FollowingSaysNothingAndItsCodeSaysHowItEnded()
    {
        _console.Keep(ConsoleInMemory.Crawl(), ConsoleInMemory.Crawl(), ConsoleInMemory.Crawl(state: CrawlState.Done));

        var quiet = await _console.Run("crawl", "follow", "shop", "-q");

        Assert.Equal((ExitCode.Done, "", ""), (quiet.Code, quiet.Output, quiet.Error));
    }

    [Fact]
    public async Task WhatWasCutOffAndWhatFailedIsSaidAllTheSame()
    {
        _console.Keep(ConsoleInMemory.Crawl());
        _console.Keep(ConsoleInMemory.Crawl("zzzzzzzzz9", name: null));

        var cut = await _console.Run("crawl", "list", "-q", "--limit", "1");
        Assert.Equal(("abcdefghi0\n", "The list of crawls ends after 1 of 2: --limit 2 shows all.\n"), (cut.Output, cut.Error));
        var none = await _console.Run("crawl", "show", "nosuch", "-q");
        Assert.Equal(
            (ExitCode.Failed, "There is no crawl \"nosuch\"; \"crawl list\" shows those that are kept.\n"),
            (none.Code, none.Error)
        );
    }
}
