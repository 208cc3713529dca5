using Silo.Storage;
using Xunit;

namespace Unit.Storage;

public sealed class LostTablesTests
{
    /// <param name="known">Tables that had commits when a silo ran last.</param>
    /// <param name="written">Tables that have commits now.</param>
    [Theory]
    [InlineData("", "", false, "")]
    [InlineData("cluster orders ordersubscribers", "cluster orders ordersubscribers", false, "")]
    [InlineData("cluster orders ordersubscribers ordermail", "cluster ordersubscribers ordermail", false, "orders")]
    [InlineData("cluster orders ordersubscribers ordermail", "cluster orders ordermail", false, "ordersubscribers")]
    [InlineData("cluster orders ordersubscribers ordermail", "cluster orders ordersubscribers", false, "ordermail")]
    [InlineData("cluster orders ordersubscribers orderwebhooks", "cluster orders ordersubscribers", false, "orderwebhooks")]
    [InlineData("cluster orders ordersubscribers ordermail", "cluster", false, "")]
    [InlineData("cluster crawling logs", "cluster logs", false, "")]
    [InlineData("cluster keys", "cluster", false, "keys")]
    [InlineData("cluster logs", "cluster", true, "logs")]
    [InlineData("cluster logs", "cluster", false, "")]
    [InlineData("", "orders ordersubscribers", false, "cluster")]
    [InlineData("", "", true, "cluster")]
    [InlineData("cluster", "cluster ordersubscribers", false, "orders")]
    public void ATableThatOthersReferToIsMissed(string known, string written, bool hasSegments, string lost) =>
        Assert.Equal(Words(lost), LostTables.Lost(Words(known), Words(written).ToHashSet(StringComparer.Ordinal), hasSegments));

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
