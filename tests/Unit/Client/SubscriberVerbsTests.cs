using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Unit.Orders;
using Xunit;

namespace Unit.Client;

public sealed class SubscriberVerbsTests
{
    private readonly ConsoleInMemory _console = new();

    private SubscribersInMemory Subscribers => _console.Cluster.KnownSubscribers;

    [Fact]
    public async Task SubscribersAreListedByNameWithWhatTheyHaveYetToDo()
    {
        Two();
        Assert.Equal(
            [
                "subscriber  in  done  lag  waiting  dead  halted",
                "audit       20    20    0        0     0",
                "mail        10     7    2        1     2  it stands",
            ],
            (await _console.Run("orders", "subscribers", "list")).Lines
        );
    }

    [Fact]
    public async Task EachPartitionsCursorIsShownOnRequest()
    {
        Two();
        Assert.Equal(
            [
                "subscriber  partition  cursor  lag  waiting  dead  halted",
                "audit               0      11    0        0     0",
                "audit               1      11    0        0     0",
                "mail                0      11    2        1     2  it stands",
            ],
            (await _console.Run("orders", "subscribers", "list", "--partitions")).Lines
        );
    }

    [Fact]
    public async Task SubscribersCanBeReadByPrograms()
    {
        Two();
        Assert.StartsWith(
            """{"name":"audit","lag":0,"in":20,"done":20,""",
            (await _console.Run("orders", "subscribers", "list", "--json")).Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task ToRemoveOneSomebodyMustSayYes()
    {
        Two();
        Assert.Equal(ExitCode.WrongUsage, (await _console.Run("orders", "subscribers", "remove", "mail")).Code);
        Assert.Empty(Subscribers.Asked);
        Assert.Equal("Subscriber mail is removed.\n", (await _console.Run("orders", "subscribers", "remove", "mail", "--yes")).Output);
        Assert.Contains(
            "There is no subscriber \"mail\".",
            (await _console.Run("orders", "subscribers", "remove", "mail", "--yes")).Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task DeadLettersAreListedAndFiltered()
    {
        Letters();
        var lines = (await _console.Run("orders", "dead-letters", "list", "--subscriber", "mail", "--reason", "no address")).Lines;
        Assert.Equal(2, lines.Length);
        Assert.StartsWith($"mail/0/1f  {Given.Id("a")}  order.placed  no address", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task DeadLettersComeInPagesAndSayHowToGoOn()
    {
        Letters();
        var first = await _console.Run("orders", "dead-letters", "list", "--take", "2", "--json");
        Assert.Equal(2, first.Entries.Length);
        Assert.Equal("""{"end":{"count":2,"total":null,"more":true,"after":"mail/1/2"}}""", first.Lines[^1]);
        var people = await _console.Run("orders", "dead-letters", "list", "--limit", "2");
        Assert.Contains("go on with --after mail/1/2", people.Error, StringComparison.Ordinal);
        Assert.Single((await _console.Run("orders", "dead-letters", "list", "--limit", "2", "--after", "mail/1/2", "--json")).Entries);
    }

    [Fact]
    public async Task ByReasonTheyAreCounted()
    {
        Two();
        Assert.Equal(
            ["subscriber  reason      dead", "mail        no address     2"],
            (await _console.Run("orders", "dead-letters", "list", "--by-reason")).Lines
        );
    }

    [Fact]
    public async Task OneIsShownWithWhatWasTried()
    {
        Letters();
        var printed = await _console.Run("orders", "dead-letters", "show", "mail/0/1f");
        Assert.Contains("no address: It said so.", printed.Output, StringComparison.Ordinal);
        Assert.Contains(
            "There is no dead letter \"mail/0/99\"",
            (await _console.Run("orders", "dead-letters", "show", "mail/0/99")).Error,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "There is no dead letter \"nonsense\"",
            (await _console.Run("orders", "dead-letters", "show", "nonsense")).Error,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("replay mail/0/1f", "mail/0/1f")]
    [InlineData("replay  mail", "--subscriber", "mail")]
    [InlineData("replay   no address", "--reason", "no address")]
    [InlineData("replay", "--all")]
    public async Task TheyAreReplayedSinglyByFilterOrAll(string asked, params string[] which)
    {
        Letters();
        Assert.Equal(ExitCode.Done, (await _console.Run(["orders", "dead-letters", "replay", .. which])).Code);
        Assert.Equal([asked], Subscribers.Asked);
    }

    [Theory]
    [InlineData]
    [InlineData("mail/0/1f", "--all")]
    [InlineData("--all", "--reason", "no address")]
    public async Task WhichOnesIsSaidOnce(params string[] which)
    {
        Assert.Equal(ExitCode.WrongUsage, (await _console.Run(["orders", "dead-letters", "replay", .. which])).Code);
        Assert.Empty(Subscribers.Asked);
    }

    [Fact]
    public async Task ToDiscardThemSomebodyMustSayYes()
    {
        Letters();
        Assert.Equal(ExitCode.WrongUsage, (await _console.Run("orders", "dead-letters", "discard", "--all")).Code);
        Assert.Equal("3 dead letters are discarded.\n", (await _console.Run("orders", "dead-letters", "discard", "--all", "--yes")).Output);
    }

    [Fact]
    public async Task ErasingSaysWhatWasErasedOrWhyNot()
    {
        Assert.Equal(ExitCode.WrongUsage, (await _console.Run("orders", "erase", "--customer", "ann")).Code);
        Subscribers.Erased = new(2, 5, null) { FilesCleaned = true };
        var lines = (await _console.Run("orders", "erase", "--customer", "ann", "--yes")).Lines;
        Assert.Equal(
            [
                "2 orders are erased, with 5 changes. The erasure is in the audit.",
                "Files cleaned: nothing of it is left in the files of the store.",
                $"Not reached: {ErasedForm.Elsewhere}",
            ],
            lines
        );
        Subscribers.Erased = new(2, 5, null) { FilesCleaned = false };
        Assert.StartsWith(
            "The files of the store still hold traces of it",
            (await _console.Run("orders", "erase", "--customer", "ann", "--yes")).Lines[1],
            StringComparison.Ordinal
        );
        Subscribers.Erased = new(0, 0, "\"mail\" stands.");
        Assert.Contains(
            "\"mail\" stands.",
            (await _console.Run("orders", "erase", "--customer", "ann", "--yes")).Error,
            StringComparison.Ordinal
        );
        Assert.Equal(["erase ann", "erase ann", "erase ann"], Subscribers.Asked);
    }

    private void Letters()
    {
        Subscribers.Add("mail", 0, 0x1f, "no address", Given.Placed("a"));
        Subscribers.Add("mail", 1, 2, "busy", Given.Placed("b"));
        Subscribers.Add("plain", 0, 3, "no address", Given.Placed("c"));
    }

    private void Two()
    {
        var none = ImmutableSortedDictionary<string, long>.Empty;
        Subscribers.States.Add(new("audit", 0, 11, 10, 10, 10, 0, none, 0, 0, null, 1));
        Subscribers.States.Add(new("audit", 1, 11, 10, 10, 10, 0, none, 0, 0, null, 1));
        Subscribers.States.Add(new("mail", 0, 11, 12, 10, 7, 1, none.Add("no address", 2), 0, 0, "it stands", 1));
    }
}
