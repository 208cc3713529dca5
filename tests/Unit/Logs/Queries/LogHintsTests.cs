using Grains.Logs.Queries;
using Xunit;

namespace Unit.Logs.Queries;

public sealed class LogHintsTests
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const ulong Day = 86_400_000_000_000;
    private const ulong Midnight = TestRecord.Noon - (Day / 2);

    [Theory]
    [InlineData("service:a", "a")]
    [InlineData("service:a OR service:b", "a,b")]
    [InlineData("(service:a OR service:b) service:b timeout", "b")]
    [InlineData("service:a OR timeout", "any")]
    [InlineData("NOT service:a", "any")]
    [InlineData("service:a*", "any")]
    [InlineData("service:*", "any")]
    [InlineData("service:a service:b", "nothing")]
    [InlineData("service:a (service:b OR service:c)", "nothing")]
    [InlineData("(service:a service:b) OR service:c", "c")]
    public void TheServicesThatCanMatchAreNamed(string query, string services)
    {
        var hints = LogQuery.Parse(query).Hints;

        Assert.Equal(
            services,
            hints.IsEmpty ? "nothing"
                : hints.Services is null ? "any"
                : string.Join(',', hints.Services)
        );
    }

    [Theory]
    [InlineData("time:2026-11-23", Midnight, Midnight + Day - 1)]
    [InlineData("time>=2026-11-23 time<2026-11-24", Midnight, Midnight + Day - 1)]
    [InlineData("time>2026-11-23", Midnight + Day, ulong.MaxValue)]
    [InlineData("time<=2026-11-23T11", 0UL, TestRecord.Noon - 1)]
    [InlineData("time:2026-11-23 OR time:2026-11-25", Midnight, Midnight + (3 * Day) - 1)]
    [InlineData("time:2026-11-23 OR x", 0UL, ulong.MaxValue)]
    [InlineData("NOT time:2026-11-23", 0UL, ulong.MaxValue)]
    [InlineData("observed:2026-11-23", 0UL, ulong.MaxValue)]
    public void TheTimesThatCanMatchAreNamed(string query, ulong from, ulong to)
    {
        var hints = LogQuery.Parse(query).Hints;

        Assert.Equal((from, to), (hints.From, hints.To));
    }

    [Fact]
    public void ATraceIdIsNamedInLowerCase()
    {
        Assert.Equal([Trace], LogQuery.Parse($"trace:{Trace.ToUpperInvariant()} severity>=warn").Hints.Traces);
        Assert.Null(LogQuery.Parse("trace:4bf9*").Hints.Traces);
        Assert.Null(LogQuery.Parse($"NOT trace:{Trace}").Hints.Traces);
    }
}
