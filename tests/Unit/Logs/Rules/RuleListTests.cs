using Grains.Interfaces.Logs;
using Grains.Logs;
using Grains.Logs.Rules;
using Grains.Logs.Segments;
using Microsoft.Extensions.Time.Testing;
using Unit.Client;
using Unit.Silo;
using Xunit;

namespace Unit.Logs.Rules;

public sealed class RuleListTests
{
    private static readonly RetentionClasses Classes = RetentionClasses.TryParse("default=30,short=3", out _)!;

    private readonly ClusterInMemory _cluster = new();
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void ARuleStandsWhereItIsPut()
    {
        var list = Add(Add(Add(new(), "a => drop"), "b => drop"), " c => drop ", 1);

        Assert.Equal(["c => drop", "a => drop", "b => drop"], list.Rules);
        Assert.Equal(3, list.Revision);
    }

    [Fact]
    public void ARuleThatIsThereIsNotThereTwice()
    {
        var list = Add(Add(new(), "a => drop"), "b => drop");

        var (same, reply) = list.Add("a => drop", null, Classes);

        Assert.Same(list, same);
        Assert.Equal((1, null), (reply.Number, reply.Error));
    }

    [Fact]
    public void ARuleMoreThanTheLimitIsRefused()
    {
        var list = Enumerable
            .Range(0, ILogRulesGrain.MaxRules)
            .Aggregate(new RuleList(), (kept, number) => Add(kept, $"service:s{number} => drop"));

        Assert.Equal(
            (ILogRulesGrain.MaxRules, RuleFaultKind.Conflict),
            (RuleSet.MaxRules, list.Add("a => drop", null, Classes).Reply.Error!.Kind)
        );
    }

    [Fact]
    public void AClassThatIsNotThereIsRefused() =>
        Assert.Equal(
            "There is no retention class \"long\"; there are default, short (Logs:Retention).",
            new RuleList().Add("a => route long", null, Classes).Reply.Error!.Sentence
        );

    [Fact]
    public void NothingIsRemovedWhenTheRulesWereChangedMeanwhile()
    {
        var list = Add(Add(new(), "a => drop"), "b => drop");

        Assert.Equal(RuleFaultKind.Conflict, list.Remove(1, 1).Reply.Error!.Kind);
        Assert.Equal(["b => drop"], list.Remove(1, 2).List.Rules);
        Assert.Equal("There is no rule 3; there are 1 to 2.", list.Remove(3, null).Reply.Error!.Sentence);
    }

    [Fact]
    public async Task AChangeIsKnownAfterASecond()
    {
        var rules = Current();
        Assert.Empty((await rules.Now(TestContext.Current.CancellationToken)).Rules);
        await _cluster.Rules.Add("a => drop", null, TestContext.Current.CancellationToken);

        _clock.Advance(CurrentRules.Staleness);

        Assert.Equal("a => drop", (await rules.Now(TestContext.Current.CancellationToken)).Rules.Single().Text);
    }

    [Fact]
    public async Task TheSameRulesKeepTheirCounts()
    {
        var rules = Current();
        await _cluster.Rules.Add("* => sample 1/s", null, TestContext.Current.CancellationToken);
        var first = await rules.Now(TestContext.Current.CancellationToken);
        _clock.Advance(CurrentRules.Staleness);

        Assert.Same(first, await rules.Now(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task RulesOfAMinuteAgoAreGoodAndOlderOnesAreNot()
    {
        var rules = Current();
        var known = await rules.Now(TestContext.Current.CancellationToken);
        _cluster.Rules.OnRead = () => throw new TimeoutException();

        _clock.Advance(CurrentRules.Patience - TimeSpan.FromTicks(1));
        Assert.Same(known, await rules.Now(TestContext.Current.CancellationToken));
        _clock.Advance(TimeSpan.FromTicks(1));
        await Assert.ThrowsAsync<RulesUnavailableException>(() => rules.Now(TestContext.Current.CancellationToken).AsTask());
    }

    [Fact]
    public async Task WhoeverNeverKnewTheRulesLetsNothingIn()
    {
        _cluster.Rules.OnRead = () => throw new TimeoutException();

        await Assert.ThrowsAsync<RulesUnavailableException>(() => Current().Now(TestContext.Current.CancellationToken).AsTask());
    }

    [Fact]
    public void ATrialSaysWhatWouldHaveBeenDone()
    {
        var records = TestRecord.Block(
            new TestRecord(Service: "shop", Body: "from a@b.example", Attributes: """{"n":1}"""),
            new TestRecord(Service: "shop", Body: "nothing")
        );

        var test = RuleTrial.Run(LogRule.Parse("* => redact email"), new(records, 5, 9, IsWhole: true), () => 0);

        Assert.Equal(
            (5L, 9L, 2, 0, 0, 1, 0),
            (test.Matching, test.Total, test.Tested, test.Filtered, test.Sampled, test.Changed, test.Routed)
        );
        Assert.Equal(
            [
                new RuleExample(
                    new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero),
                    "shop",
                    """from a@b.example {"n":1}""",
                    """from [email] {"n":1}"""
                ),
            ],
            test.Examples
        );
    }

    [Fact]
    public void OfATrialThreeExamplesAreShown()
    {
        var test = RuleTrial.Run(
            LogRule.Parse("* => drop"),
            new(TestRecord.Block(Enumerable.Repeat(new TestRecord(Body: "x"), 5)), 5, 5, IsWhole: true),
            () => 0
        );

        Assert.Equal((5, 3, null), (test.Filtered, test.Examples.Length, test.Examples[0].After));
    }

    private static RuleList Add(RuleList list, string rule, int? number = null)
    {
        var (added, reply) = list.Add(rule, number, Classes);
        Assert.Null(reply.Error);
        return added;
    }

    private CurrentRules Current() => new(() => new GrainsInMemory(_cluster).GetGrain<ILogRulesGrain>(0), _clock, _clock, () => 0);
}
