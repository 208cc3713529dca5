using System.Globalization;
using Client.Values;
using Grains.Interfaces.Values;
using Xunit;

namespace Unit.Client;

public sealed class ValuesTests
{
    public static TheoryData<string, string> TypedDurations() => new(DataRows.Read("durations.tsv"));

    public static TheoryData<string, string> TypedSizes() => new(DataRows.Read("sizes.tsv"));

    [Theory]
    [MemberData(nameof(TypedDurations))]
    public void ADurationIsReadAsItsTableSays(string text, string milliseconds)
    {
        var read = Durations.TryParse(text, out var duration);

        Assert.Equal(milliseconds, read ? duration.TotalMilliseconds.ToString(CultureInfo.InvariantCulture) : "no");
    }

    [Theory]
    [MemberData(nameof(TypedSizes))]
    public void ASizeIsReadAsItsTableSays(string text, string bytes)
    {
        var read = Sizes.TryParse(text, out var size);

        Assert.Equal(bytes, read ? size.ToString(CultureInfo.InvariantCulture) : "no");
    }

    [Theory]
    [InlineData("0")]
    [InlineData("250ms")]
    [InlineData("1s")]
    [InlineData("1.5s")]
    [InlineData("90s")]
    [InlineData("2m")]
    [InlineData("1h")]
    public void ADurationIsWrittenAsItIsTyped(string text)
    {
        Assert.True(Durations.TryParse(text, out var duration));
        Assert.True(Durations.TryParse(Durations.Format(duration), out var again));

        Assert.Equal(duration, again);
        Assert.Equal(text, Durations.Format(duration));
    }

    [Theory]
    [InlineData(0, "0.0 s")]
    [InlineData(4.26, "4.2 s")]
    [InlineData(59.99, "59.9 s")]
    [InlineData(60, "1 min 00 s")]
    [InlineData(185, "3 min 05 s")]
    [InlineData(7860, "2 h 11 min")]
    [InlineData(180000, "50 h 00 min")]
    public void ElapsedTimeIsReadAtAGlance(double seconds, string text) =>
        Assert.Equal(text, Durations.Elapsed(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1536, "1.5 KB")]
    [InlineData(10485760, "10 MB")]
    [InlineData(long.MaxValue, "8388608 TB")]
    public void ASizeIsReadAtAGlance(long bytes, string text) => Assert.Equal(text, Sizes.Format(bytes));

    [Theory]
    [InlineData(0, "0.0/s")]
    [InlineData(28.44, "28.4/s")]
    [InlineData(1284.4, "1,284/s")]
    public void ARateIsReadAtAGlance(double rate, string text) => Assert.Equal(text, Counts.Rate(rate));
}
