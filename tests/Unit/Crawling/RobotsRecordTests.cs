using Grains.Crawling.Robots;
using Xunit;

namespace Unit.Crawling;

public sealed class RobotsRecordTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(200)]
    [InlineData(206)]
    public void Clause2Point3Point1Point1_ASuccessIsParsed(int status)
    {
        var record = From(status);

        Assert.False(record.Unreachable);
        Assert.Equal(2, record.Rules.Allows("/private/x").Line);
        Assert.True(record.Rules.Allows("/x").Allowed);
    }

    [Theory]
    [InlineData(301, "robots.txt is not found within five redirects (301): everything is allowed.")]
    [InlineData(404, "There is no robots.txt (404): everything is allowed.")]
    [InlineData(401, "There is no robots.txt (401): everything is allowed.")]
    [InlineData(403, "There is no robots.txt (403): everything is allowed.")]
    public void Clause2Point3Point1Point3_UnavailableAllowsEverything(int status, string says)
    {
        var record = From(status);

        Assert.False(record.Unreachable);
        Assert.True(record.Rules.Allows("/private/x").Allowed);
        Assert.Equal(says, record.Says);
    }

    [Theory]
    [InlineData(500, "the server answered 500")]
    [InlineData(503, "the server answered 503")]
    [InlineData(600, "the server answered 600")]
    [InlineData(101, "the server answered 101")]
    [InlineData(408, "the server answered 408")]
    [InlineData(425, "the server answered 425")]
    [InlineData(429, "the server says that it is asked too often (429)")]
    [InlineData(null, "no answer came")]
    public void Clause2Point3Point1Point4_UnreachableAllowsNothing(int? status, string why)
    {
        var record = From(status);

        Assert.True(record.Unreachable);
        Assert.Equal(1, record.Failures);
        Assert.False(record.Rules.Allows("/").Allowed);
        Assert.Equal($"robots.txt cannot be reached, {why}: nothing is allowed until it answers.", record.Says);
        Assert.Equal($"Not allowed: robots.txt cannot be reached, {why}.", record.Rules.Allows("/").Says);
    }

    /// <summary>It counted as one that allows everything.</summary>
    [Fact]
    public void Clause2Point3Point1Point4_AFileThatCannotBeReadIsUnreachable()
    {
        var record = RobotsRecord.From(200, body: null, Start, "ExampleBot", cause: "The body ended early, after 7 bytes: Broken.");

        Assert.True(record.Unreachable);
        Assert.Equal(
            "Not allowed: robots.txt cannot be reached, its answer (200) could not be read: The body ended early, after 7 bytes: Broken.",
            record.Rules.Allows("/").Says
        );
    }

    [Fact]
    public void Clause2Point5_AFileThatIsCutSaysSo() =>
        Assert.Equal(
            "robots.txt was read (200) up to its limit of 500 KiB; rules behind that are not known.",
            RobotsRecord.From(200, new byte[RobotsRules.MaxBytes + 1], Start, "ExampleBot").Says
        );

    [Theory]
    [InlineData(200)]
    [InlineData(302)]
    [InlineData(404)]
    public void Clause2Point4_AnAnswerCountsForADay(int status)
    {
        var record = From(status, failuresBefore: 3);

        Assert.Equal(0, record.Failures);
        Assert.Equal(Start, record.FetchedAt);
        Assert.Equal(Start.AddHours(24), record.ExpiresAt);
        Assert.False(record.IsDue(Start.AddHours(24).AddTicks(-1)));
        Assert.True(record.IsDue(Start.AddHours(24)));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(5, 32)]
    [InlineData(6, 60)]
    [InlineData(1000, 60)]
    public void TheWaitAfterAFailureDoublesUpToAnHour(int failuresBefore, int minutes)
    {
        var record = From(503, failuresBefore);

        Assert.Equal(Start.AddMinutes(minutes), record.ExpiresAt);
        Assert.Equal(failuresBefore + 1, record.Failures);
    }

    [Theory]
    [InlineData(30, 60)]
    [InlineData(3_600, 3_600)]
    [InlineData(864_000, 86_400)]
    public void ALongerRetryAfterWinsUpToADay(int asked, int waited) =>
        Assert.Equal(Start.AddSeconds(waited), From(429, retryAfter: TimeSpan.FromSeconds(asked)).ExpiresAt);

    private static RobotsRecord From(int? status, int failuresBefore = 0, TimeSpan? retryAfter = null) =>
        RobotsRecord.From(status, "User-agent: *\nDisallow: /private"u8.ToArray(), Start, "ExampleBot", failuresBefore, retryAfter);
}
