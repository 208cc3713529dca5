using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using CsCheck;
using Grains.Interfaces.Logs;
using Grains.Logs.Batching;
using Grains.Logs.Rules;
using Xunit;

namespace Unit.Logs.Rules;

public sealed class RuleSetTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<string, string, string> Cases() => new(LogRows.Read("rules.tsv").Select(row => (row[0], row[1], row[2])));

    public static TheoryData<string, int, string> Errors() =>
        new(LogRows.Read("rule-errors.tsv").Select(row => (row[0], int.Parse(row[1], CultureInfo.InvariantCulture), row[2])));

    [Theory]
    [MemberData(nameof(Cases))]
    public void RulesDoWhatTheTableSays(string rules, string record, string expected)
    {
        var before = TestRecord.Parse(record);
        using var walk = new RuleSet.Walk(Set(0.5, rules.Split(" ;; ")), Now);

        var fate = walk.Send(TestRecord.Block(before)[0], out var retention);

        var after = walk.Changed is { } changed ? TestRecord.Of(changed[0]) : before;
        Assert.Equal(before, after with { Body = before.Body, Attributes = before.Attributes });
        Assert.Equal(
            expected,
            fate switch
            {
                RecordFate.Filtered => "filtered",
                RecordFate.Sampled => "sampled",
                _ when retention == "default" && walk.Changed is null => "same",
                _ => $"{(retention == "default" ? "" : $"{retention}: ")}{after.Body} {after.Attributes}".TrimEnd(),
            }
        );
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public void AnErrorPointsAtItsColumn(string rule, int column, string sentence)
    {
        Assert.False(LogRule.TryParse(rule, out _, out var error));
        Assert.Equal((column, true, sentence), (error.Column, error.Sentence.Contains(sentence, StringComparison.Ordinal), sentence));
    }

    [Fact]
    public void WithoutRulesTheVeryBlockGoesOn()
    {
        var block = TestRecord.Block(new TestRecord(Service: "a"));
        var counts = Counts(("a", 1));

        var outcome = RuleSet.Empty.Apply(block, counts, Now);

        Assert.Same(block, outcome.Parts.Single().Block);
        Assert.Equal(counts, outcome.Counts);
    }

    [Fact]
    public void WhenNothingChangesTheVeryBlockGoesOn()
    {
        var block = TestRecord.Block(new TestRecord(Service: "a"), new TestRecord(Service: "b"));

        Assert.Same(
            block,
            Set(0, "service:c => drop", "* => redact email").Apply(block, Counts(("a", 1), ("b", 1)), Now).Parts.Single().Block
        );
    }

    [Fact]
    public void RecordsAreSortedByClassAndTheBooksBalance()
    {
        var block = TestRecord.Block(
            new TestRecord(Service: "a", Body: "1"),
            new TestRecord(Service: "a", Body: "2 noise"),
            new TestRecord(Service: "b", Body: "3 debug"),
            new TestRecord(Service: "b", Body: "4 debug"),
            new TestRecord(Service: "a", Body: "5")
        );

        var outcome = Set(0, "noise => drop", "debug => sample 1/s", "debug => route short").Apply(block, Counts(("a", 4), ("b", 2)), Now);

        Assert.Equal(
            ["default: 1 5", "short: 3 debug"],
            outcome.Parts.Select(part => $"{part.Class}: {string.Join(' ', Bodies(part.Block))}")
        );
        Assert.Equal(
            [("a", 4, 3, 1, 0), ("b", 2, 1, 0, 1)],
            outcome.Counts.Select(count => (count.Service, (int)count.Received, (int)count.Stored, (int)count.Filtered, (int)count.Sampled))
        );
        Assert.All(outcome.Counts, count => Assert.True(count.Balances));
    }

    [Fact]
    public void WhatIsAllDroppedLeavesNoPart()
    {
        var outcome = Set(0, "* => drop").Apply(TestRecord.Block(new TestRecord(Service: "a")), Counts(("a", 1)), Now);

        Assert.Empty(outcome.Parts);
        Assert.Equal(1, outcome.Counts.Single().Filtered);
    }

    [Fact]
    public void ASampleByTheSecondCountsEachServiceAndEachSecond()
    {
        var set = Set(0, "* => sample 2/s");

        string Kept(string service, double seconds) =>
            string.Concat(
                Enumerable
                    .Range(0, 4)
                    .Select(_ =>
                        set.Apply(
                            TestRecord.Block(new TestRecord(Service: service)),
                            Counts((service, 1)),
                            Now.AddSeconds(seconds)
                        ).Parts.Length
                    )
            );

        Assert.Equal(("1100", "1100"), (Kept("a", 0), Kept("b", 0.5)));
        Assert.Equal(("0000", "1100"), (Kept("a", 0.9), Kept("a", 1)));
    }

    [Fact]
    public void ASampleByShareKeepsThatShare()
    {
        var random = new Random(1);
        var set = new RuleSet([LogRule.Parse("* => sample 10%")], random.NextDouble);
        var block = TestRecord.Block(Enumerable.Repeat(new TestRecord(Service: "a"), 10_000));

        var count = set.Apply(block, Counts(("a", 10_000)), Now).Counts.Single();

        Assert.InRange(count.Stored, 900, 1100); // Ten standard deviations are 300; the seed is fixed.
        Assert.True(count.Balances);
    }

    [Fact]
    public void AttributesStayJsonWhateverIsRedacted()
    {
        string[] parts = ["\"", "\\", "a@b.example", "4111111111111111", " ", "10.0.0.1", "é", "\n", "Bearer x", "[", "{", ",", ":"];
        Gen.Int[0, parts.Length - 1]
            .Array[0, 6]
            .Select(pick => string.Concat(pick.Select(at => parts[at])))
            .Array[1, 5]
            .Sample(texts =>
            {
                var attributes = JsonSerializer.Serialize(
                    new
                    {
                        list = texts,
                        map = texts.Index().ToDictionary(text => $"{text.Index}{text.Item}", text => text.Item),
                        number = 4111111111111111,
                    }
                );
                using var walk = new RuleSet.Walk(Set(0, "* => redact email card bearer ip"), Now);
                walk.Send(TestRecord.Block(new TestRecord(Attributes: attributes))[0], out _);

                var after = TestRecord.Of(walk.Changed![0]).Attributes;
                using var document = JsonDocument.Parse(after);
                Assert.Equal(texts.Length, document.RootElement.GetProperty("list").GetArrayLength());
                Assert.All(document.RootElement.GetProperty("list").EnumerateArray(), text =>
                    Assert.DoesNotContain("a@b.example", text.GetString())
                );
                Assert.Equal("[card]", document.RootElement.GetProperty("number").GetString());
            });
    }

    private static RuleSet Set(double chance, params string[] rules) => new([.. rules.Select(LogRule.Parse)], () => chance);

    private static ImmutableArray<ServiceCount> Counts(params (string Service, int Records)[] services) =>
        [
            .. services.Select(service =>
                Tally.None with
                {
                    Service = service.Service,
                    Received = service.Records,
                    Stored = service.Records,
                }
            ),
        ];

    private static IEnumerable<string> Bodies(LogBlock block)
    {
        for (var record = 0; record < block.Count; record++)
        {
            yield return TestRecord.Of(block[record]).Body;
        }
    }
}
