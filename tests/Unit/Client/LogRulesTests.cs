using Xunit;

namespace Unit.Client;

public sealed class LogRulesTests
{
    private readonly ConsoleInMemory _console = new();

    [Fact]
    public async Task RulesAreAddedListedAndRemoved()
    {
        Assert.Equal(
            (0, "Rule 1 of 1: severity<=debug => drop\n"),
            Of(await _console.Run("logs", "rules", "add", "severity<=debug => drop"))
        );
        Assert.Equal(
            (0, "Rule 1 of 2: * => redact email\n"),
            Of(await _console.Run("logs", "rules", "add", "* => redact email", "--at", "1"))
        );
        Assert.Equal(
            ["number  rule", "     1  * => redact email", "     2  severity<=debug => drop"],
            (await _console.Run("logs", "rules", "list")).Lines
        );
        Assert.Equal((0, "Removed: * => redact email\n"), Of(await _console.Run("logs", "rules", "remove", "1")));
        Assert.Equal((1, ""), Of(await _console.Run("logs", "rules", "remove", "2")));
    }

    [Fact]
    public async Task RulesCanBeReadByPrograms()
    {
        Assert.Equal(
            (0, """{"number":1,"rule":"a => drop","revision":1}""" + "\n"),
            Of(await _console.Run("logs", "rules", "add", "a => drop", "--json"))
        );
        Assert.Equal(
            ["""{"number":1,"rule":"a => drop"}""", """{"end":{"count":1,"total":1,"more":false,"after":null,"revision":1}}"""],
            (await _console.Run("logs", "rules", "list", "--json")).Lines
        );
        Assert.Equal(
            (0, """{"number":1,"rule":"a => drop","revision":2}""" + "\n"),
            Of(await _console.Run("logs", "rules", "remove", "1", "--json"))
        );
    }

    [Fact]
    public async Task WithoutRulesItSaysWhatThatMeans() =>
        Assert.StartsWith(
            "There is no rule: every record is stored as it comes.",
            (await _console.Run("logs", "rules", "list")).Output,
            StringComparison.Ordinal
        );

    [Fact]
    public async Task AWrongRuleIsShownWithACaret()
    {
        var printed = await _console.Run("logs", "rules", "add", "severity>=warm => drop");

        Assert.Equal(2, printed.Code);
        Assert.Contains("severity>=warm => drop\n          ^ column 11: A severity is trace,", printed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ATestSaysWhatWouldHaveBeenDone()
    {
        _console.Cluster.Rules.Tested = new(
            12_000,
            30_000,
            10_000,
            IsWhole: false,
            0,
            0,
            7,
            0,
            [new(ConsoleInMemory.Start, "shop", "from a@b.example", "from [email]"), new(ConsoleInMemory.Start, "shop", "x", null)]
        );

        var printed = await _console.Run("logs", "rules", "test", "* => redact email", "--since", "15m");

        Assert.Equal(TimeSpan.FromMinutes(15), _console.Cluster.Rules.Asked);
        Assert.Equal(
            [
                "Of 30,000 records (it stopped before all were seen), 12,000 match.",
                "The rule was tried on the newest 10,000 of them.",
                "Would have been 7 changed.",
                "- from a@b.example",
                "+ from [email]",
                "- x",
                "  not stored",
            ],
            printed.Lines
        );
        Assert.Equal(
            """{"total":30000,"matching":12000,"tested":10000,"isWhole":false,"filtered":0,"sampled":0,"changed":7,"routed":0,"examples":[{"time":"2026-03-01T12:00:00+00:00","service":"shop","before":"from a@b.example","after":"from [email]"},{"time":"2026-03-01T12:00:00+00:00","service":"shop","before":"x","after":null}]}"""
                + "\n",
            (await _console.Run("logs", "rules", "test", "* => redact email", "--json")).Output
        );
        Assert.Equal(TimeSpan.FromHours(1), _console.Cluster.Rules.Asked);
    }

    [Theory]
    [InlineData("logs", "rules", "add")]
    [InlineData("logs", "rules", "remove", "first")]
    [InlineData("logs", "rules", "test", "* => drop", "--since", "yesterday")]
    public async Task WhatIsTypedWrongIsSaid(params string[] args) => Assert.Equal(2, (await _console.Run(args)).Code);

    private static (int, string) Of(Printed printed) => (printed.Code, printed.Output);
}
