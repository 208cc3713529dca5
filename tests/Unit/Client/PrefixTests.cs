using Unit.Orders;
using Xunit;

namespace Unit.Client;

/// <summary>The beginning of an id is enough wherever a verb takes one.</summary>
public sealed class PrefixTests
{
    private readonly ConsoleInMemory _console = new();

    [Theory]
    [InlineData("abc", "abcdefghi0")]
    [InlineData("abcdefghi1", "abcdefghi1")]
    [InlineData("abcd", "abcd")]
    public async Task ACrawlIsFoundByItsIdItsNameOrTheBeginningOfItsId(string typed, string found)
    {
        _console.Keep(ConsoleInMemory.Crawl("abcdefghi0", name: null));
        _console.Keep(ConsoleInMemory.Crawl(found == "abcdefghi0" ? "zbcdefghi1" : "abcdefghi1", name: "abcd"));

        var paused = await _console.Run("crawl", "pause", typed, "-q");

        Assert.Equal((ExitCode.Done, found == "abcd" ? "abcdefghi1\n" : found + "\n"), (paused.Code, paused.Output));
    }

    [Fact]
    public async Task ABeginningOfSeveralNamesTheFirstFew()
    {
        for (var crawl = 0; crawl < 7; crawl++)
        {
            _console.Keep(ConsoleInMemory.Crawl($"abcdefghi{crawl}", name: null));
        }

        Assert.Equal(
            "\"abc\" is the beginning of several crawls: abcdefghi0, abcdefghi1, abcdefghi2, abcdefghi3, abcdefghi4 and more. "
                + "Type more of the id.\n",
            await Refused("crawl", "show", "abc")
        );
        Assert.Equal("There is no crawl \"abd\"; \"crawl list\" shows those that are kept.\n", await Refused("crawl", "show", "abd"));
    }

    [Fact]
    public async Task AnOrderIsFoundByTheBeginningOfItsId()
    {
        foreach (var key in new[] { "a", "b", "c" })
        {
            await _console.Run("orders", "place", "--customer", "ann", "--line", "tea:1:450", "--key", key);
        }

        var all = (await _console.Run("orders", "list", "-q")).Lines.Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(3, all.Length);
        foreach (var id in all)
        {
            var unique = Enumerable
                .Range(1, id.Length)
                .Select(length => id[..length])
                .First(start => all.Count(one => one.StartsWith(start, StringComparison.Ordinal)) == 1);
            Assert.StartsWith($"id        {id}", (await _console.Run("orders", "show", unique)).Output, StringComparison.Ordinal);
            Assert.Equal(id + "\n", (await _console.Run("orders", "pay", unique, "-q")).Output);
        }

        Assert.Equal(
            "There is no order \"07-zzz\"; \"orders list\" shows those that there are.\n",
            await Refused("orders", "timeline", "07-zzz")
        );
    }

    [Fact]
    public async Task AnEndpointIsFoundByTheBeginningOfItsId()
    {
        await _console.Run("orders", "webhooks", "add", "https://example.org/");
        await _console.Run("orders", "webhooks", "add", "https://example.org/2");

        Assert.Equal("endpoint01\n", (await _console.Run("orders", "webhooks", "pause", "endpoint01", "-q")).Output);
        Assert.Equal(
            "\"endpoint\" is the beginning of several endpoints: endpoint00, endpoint01. Type more of the id.\n",
            await Refused("orders", "webhooks", "remove", "endpoint", "--yes")
        );
        await _console.Run("orders", "webhooks", "remove", "endpoint01", "--yes");
        Assert.Equal("endpoint00\n", (await _console.Run("orders", "webhooks", "remove", "end", "--yes", "--quiet")).Output);
    }

    [Fact]
    public async Task ADeadLetterIsFoundByTheBeginningOfItsIdAndAWholeIdWins()
    {
        var subscribers = _console.Cluster.KnownSubscribers;
        var order = Given.Placed();
        subscribers.Add("mail", 3, 0x1, "timeout", order);
        subscribers.Add("mail", 3, 0x1f, "timeout", order);
        subscribers.Add("webhook-a", 3, 0x2, "timeout", order);

        Assert.Equal("mail/3/1", await Shown("mail/3/1"));
        Assert.Equal("webhook-a/3/2", await Shown("web"));
        Assert.Equal(
            "\"mail/3/\" is the beginning of several dead letters: mail/3/1, mail/3/1f. Type more of the id.\n",
            await Refused("orders", "dead-letters", "discard", "mail/3/", "--yes")
        );
        Assert.Equal(ExitCode.Done, (await _console.Run("orders", "dead-letters", "replay", "webhook-a/3")).Code);
        Assert.Equal(["replay webhook-a/3/2"], subscribers.Asked);
    }

    /// <summary>The id of the dead letter that is shown.</summary>
    private async Task<string> Shown(string typed) =>
        (await _console.Run("orders", "dead-letters", "show", typed)).Lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];

    private async Task<string> Refused(params string[] args)
    {
        var printed = await _console.Run(args);
        Assert.Equal((ExitCode.Failed, ""), (printed.Code, printed.Output));
        return printed.Error;
    }
}
