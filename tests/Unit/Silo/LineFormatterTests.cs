using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Silo.Launch;
using Xunit;

namespace Unit.Silo;

public sealed class LineFormatterTests
{
    [Fact]
    public void AnEntryIsOneLineWithTheTimeFirst() =>
        Assert.Equal($"06:40:51.123 info  HostGrain: it is ready{Environment.NewLine}", Written(LogLevel.Information, "it is\nready"));

    [Fact]
    public void AWarningHasTheFirstLineOfItsException() =>
        Assert.Equal(
            $"06:40:51.123 warn  HostGrain: tried (IOException: no disk){Environment.NewLine}",
            Written(LogLevel.Warning, "tried", new IOException("no disk\n   at Somewhere"))
        );

    [Fact]
    public void ALongMessageIsCut() =>
        Assert.Equal(
            $"06:40:51.123 info  HostGrain: {new string('a', 400)}…{Environment.NewLine}",
            Written(LogLevel.Information, new string('a', 401))
        );

    [Fact]
    public void AnAddressWithSignsThatSteerATerminalDoesNot() =>
        Assert.Equal(
            $"06:40:51.123 warn  HostGrain: http://a/\uFFFD[31m\uFFFD (IOException: \uFFFD){Environment.NewLine}",
            Written(LogLevel.Warning, "http://a/\u001b[31m\u202e", new IOException("\u009b"))
        );

    private static string Written(LogLevel level, string message, Exception? exception = null)
    {
        var clock = new FakeTimeProvider(new(2026, 1, 2, 6, 40, 51, 123, TimeSpan.Zero));
        clock.SetLocalTimeZone(TimeZoneInfo.Utc);
        using var text = new StringWriter();
        new LineFormatter(clock).Write(
            new LogEntry<string>(level, "Grains.Crawling.HostGrain", default, message, exception, (state, _) => state),
            scopeProvider: null,
            text
        );
        return text.ToString();
    }
}
