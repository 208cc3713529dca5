using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Grains.Crawling.Robots;
using Xunit;

namespace Unit.Crawling;

/// <summary>
/// The clauses of RFC 9309 are files under Data/robots: what each file means for ExampleBot stands at its end, behind <c>#></c>.
/// </summary>
public sealed partial class RobotsRulesTests
{
    private const string Bot = "ExampleBot";

    public static TheoryData<string> Files() =>
        [
            .. Directory
                .GetFiles(Path.Combine(AppContext.BaseDirectory, "Data", "robots"), "*.txt")
                .Select(file => Path.GetFileName(file))
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Files))]
    public void AFileMeansWhatItSaysAtItsEnd(string file)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "Data", "robots", file);
        var rules = RobotsRules.Parse(File.ReadAllBytes(path), Bot);
        var expected = File.ReadLines(path)
            .Where(line => line.StartsWith("#> ", StringComparison.Ordinal))
            .Select(line => line[3..])
            .ToList();

        Assert.NotEmpty(expected);
        Assert.Equal(expected, expected.Select(line => Answer(rules, line)));
        Assert.Equal(expected.Count(line => line.StartsWith("sitemap ", StringComparison.Ordinal)), rules.Sitemaps.Length);
    }

    [Fact]
    public void AVerdictNamesTheRuleWithoutItsComment()
    {
        var verdict = Parse("User-agent: *\n  Disallow :  /a  # why").Allows("/a");

        Assert.Equal(new(false, 2, "Disallow :  /a"), verdict);
        Assert.Equal("Not allowed by line 2 of robots.txt, \"Disallow :  /a\".", verdict.Says);
        Assert.Equal("Allowed: no rule of robots.txt matches.", Parse("").Allows("/a").Says);
    }

    [Fact]
    public void ControlCharactersOfARuleDoNotReachTheConsole() =>
        Assert.Equal("Disallow: /a\uFFFD[2J", Parse("User-agent: *\nDisallow: /a\u001b[2J").Allows("/a%1B[2J").Rule);

    [Theory]
    [InlineData("\n")]
    [InlineData("\r")]
    [InlineData("\r\n")]
    public void Clause2Point2_LinesEndWithCrLfOrBoth(string end)
    {
        var rules = Parse($"User-agent: *{end}{end}Disallow: /a{end}Disallow: /b");

        Assert.Equal(3, rules.Allows("/a").Line);
        Assert.Equal(4, rules.Allows("/b").Line);
    }

    [Fact]
    public void Clause2Point2_AByteOrderMarkIsPassedOver() =>
        Assert.False(RobotsRules.Parse([0xEF, 0xBB, 0xBF, .. "User-agent: *\nDisallow: /"u8], Bot).Allows("/a").Allowed);

    [Fact]
    public void Clause2Point2Point2_RobotsTxtItselfIsAlwaysAllowed()
    {
        Assert.True(Parse("User-agent: *\nDisallow: /").Allows("/robots.txt").Allowed);
        Assert.True(RobotsRules.DisallowAll("it is down").Allows("/robots.txt").Allowed);
        Assert.False(Parse("User-agent: *\nDisallow: /").Allows("/robots.txt?x").Allowed);
    }

    [Fact]
    public void Clause2Point5_WhatComesAfter500KibIsNotRead()
    {
        const string Head = "User-agent: *\n";
        var fill = RobotsRules.MaxBytes - Head.Length - "Disallow: /last\n".Length;
        var text = $"{Head}#{new string('x', fill - 2)}\nDisallow: /last\nDisallow: /after\n";

        Assert.False(Parse(text).Allows("/last").Allowed);
        Assert.True(Parse(text).Allows("/after").Allowed);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Clause2Point5_TheLineThatTheCutGoesThroughIsDropped(int missing)
    {
        const string Head = "User-agent: *\nDisallow: /kept\n";
        var fill = RobotsRules.MaxBytes - Head.Length - "Disallow: /cut/here".Length + missing;
        var rules = Parse($"{Head}#{new string('x', fill - 2)}\nDisallow: /cut/here\n");

        Assert.False(rules.Allows("/kept").Allowed);
        Assert.True(rules.Allows("/cut/here").Allowed);
        Assert.True(rules.Allows("/cut/h").Allowed);
    }

    [Fact]
    public void ARuleBehindThe10000thCountsToo()
    {
        var rules = Parse("User-agent: *\n" + string.Concat(Enumerable.Range(1, 25_000).Select(i => $"Disallow: /{i}.\n")));

        Assert.Equal(10_001, rules.Allows("/10000.").Line);
        Assert.Equal(25_001, rules.Allows("/25000.").Line);
        Assert.False(rules.IsCut);
    }

    [Fact]
    public void Clause2Point5_AFileThatIsCutSaysSo()
    {
        Assert.False(RobotsRules.Parse(new byte[RobotsRules.MaxBytes], Bot).IsCut);
        Assert.True(RobotsRules.Parse(new byte[RobotsRules.MaxBytes + 1], Bot).IsCut);
    }

    [Fact]
    public void APatternFullOfStarsIsMatchedWithoutTryingTwice()
    {
        // A matcher that tries again would need more than 2^1000 steps.
        var rules = Parse($"User-agent: *\nDisallow: /{string.Concat(Enumerable.Repeat("*a", 1000))}*b");

        Assert.True(rules.Allows("/" + new string('a', 2000)).Allowed);
        Assert.False(rules.Allows("/" + new string('a', 2000) + "b").Allowed);
    }

    /// <summary>Stars and escapes make it longer than what it matches.</summary>
    [Theory]
    [InlineData("*", 3000, "/a")]
    [InlineData("%61", 2000, "a")]
    public void APatternLongerThanAUrlCounts(string piece, int times, string tail) =>
        Assert.False(
            Parse($"User-agent: *\nDisallow: /{string.Concat(Enumerable.Repeat(piece, times))}")
                .Allows("/" + (piece == "*" ? tail : new string('a', 2000)))
                .Allowed
        );

    /// <summary>The name is ExampleBot; what follows it says nothing.</summary>
    [Theory]
    [InlineData("ExampleBot", true)]
    [InlineData("examplebot*", true)]
    [InlineData("ExampleBot/1.0", true)]
    [InlineData("ExampleBot/*", true)]
    [InlineData("ExampleBot (of ours)", true)]
    [InlineData("ExampleBot;x", true)]
    [InlineData("ExampleBot, OtherBot", true)]
    [InlineData("EXAMPLEBOT\tx", true)]
    [InlineData("ExampleBot2", false)]
    [InlineData("ExampleBot-News", false)]
    [InlineData("ExampleBots", false)]
    [InlineData("Example*", false)]
    [InlineData("*ExampleBot", false)]
    [InlineData("*", true)]
    [InlineData("* # all", true)]
    public void AUserAgentIsItsNameAndNotWhatFollows(string agent, bool isMeant) =>
        Assert.Equal(!isMeant, Parse($"User-agent: {agent}\nDisallow: /").Allows("/a").Allowed);

    [Theory]
    [InlineData("/caf%E9")]
    [InlineData("/caf%e9/x")]
    public void OctetsOfARuleThatAreNoUtf8AreComparedAsOctets(string path)
    {
        Assert.False(RobotsRules.Parse([.. "User-agent: *\nDisallow: /caf"u8, 0xE9], Bot).Allows(path).Allowed);
        Assert.True(RobotsRules.Parse([.. "User-agent: *\nDisallow: /caf"u8, 0xE8], Bot).Allows(path).Allowed);
        Assert.True(RobotsRules.Parse([.. "User-agent: *\nDisallow: /caf"u8, 0xE9], Bot).Allows("/caf%EF%BF%BD").Allowed);
    }

    [Fact]
    public void ASequenceThatBreaksOffIsAnOctetForEachByte() =>
        Assert.False(
            RobotsRules.Parse([.. "User-agent: *\nDisallow: /"u8, 0xE2, 0x82, (byte)'a', 0xC3, 0xA9], Bot).Allows("/%E2%82aé").Allowed
        );

    [Fact]
    public void Utf16IsReadByItsMark()
    {
        foreach (var encoding in new[] { Encoding.Unicode, Encoding.BigEndianUnicode })
        {
            Assert.False(
                RobotsRules
                    .Parse([.. encoding.GetPreamble(), .. encoding.GetBytes("User-agent: *\r\nDisallow: /é")], Bot)
                    .Allows("/é")
                    .Allowed
            );
        }
    }

    [Theory]
    [InlineData("0", "00:00:00")]
    [InlineData("0.25", "00:00:00.25")]
    [InlineData(".5", "00:00:00.5")]
    [InlineData("90", "00:01:30")]
    [InlineData("86401", "1.00:00:00")]
    [InlineData("99999999999999999999", "1.00:00:00")]
    [InlineData("1,5", null)]
    [InlineData("+1", null)]
    [InlineData("NaN", null)]
    [InlineData("10 s", null)]
    [InlineData("999999999999999999999999999999999999", null)]
    public void ACrawlDelayIsInDecimalSecondsAndADayAtMost(string text, string? expected) =>
        Assert.Equal(
            expected is null ? null : TimeSpan.Parse(expected, CultureInfo.InvariantCulture),
            Parse($"User-agent: *\nCrawl-delay: {text}").CrawlDelay
        );

    [Fact]
    public void AllowAllAndDisallowAllSayWhy()
    {
        Assert.True(RobotsRules.AllowAll.Allows("/a").Allowed);
        Assert.Equal("Not allowed: it is down.", RobotsRules.DisallowAll("it is down").Allows("/a").Says);
    }

    [Fact]
    public void OctetsThatAreNoTextDoNoHarm()
    {
        var octets = new byte[100_000];
        new Random(1).NextBytes(octets);

        Assert.True(RobotsRules.Parse(octets, Bot).Allows("/a").Allowed);
    }

    private static RobotsRules Parse(string text) => RobotsRules.Parse(Encoding.UTF8.GetBytes(text), Bot);

    /// <summary>The line as it would have to stand in the file.</summary>
    private static string Answer(RobotsRules rules, string line)
    {
        if (Expectation().Match(line) is { Success: true } match)
        {
            var path = match.Groups["path"].Value;
            var verdict = rules.Allows(path);
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{(verdict.Allowed ? "allowed" : "not allowed")} {path}{(verdict.Line is { } number ? $" by {number}" : "")}"
            );
        }

        return line.Split(' ') is ["sitemap", var sitemap]
            ? rules.Sitemaps.Contains(sitemap)
                ? line
                : "no such sitemap"
            : string.Create(CultureInfo.InvariantCulture, $"delay {rules.CrawlDelay?.TotalSeconds}");
    }

    [GeneratedRegex("^(not )?allowed (?<path>/[^ ]*)")]
    private static partial Regex Expectation();
}
