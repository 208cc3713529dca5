using Grains.Storage;
using Silo.Storage;
using Xunit;

namespace Unit.Storage;

/// <summary>A range becomes a filter of key characters alone, and holds the same keys.</summary>
public sealed class AzureFilterTests
{
    [Theory]
    [InlineData("", "\u007f", "PartitionKey eq 'p'")]
    [InlineData("a", "c", "PartitionKey eq 'p' and RowKey ge 'a' and RowKey lt 'c'")]
    [InlineData("a ", "c", "PartitionKey eq 'p' and RowKey ge 'a-' and RowKey lt 'c'")]
    [InlineData("q-", "q-\u007f", "PartitionKey eq 'p' and RowKey ge 'q-' and RowKey lt 'q.'")]
    [InlineData("qZ", "qZ\u007f", "PartitionKey eq 'p' and RowKey ge 'qZ' and RowKey lt 'q_'")]
    [InlineData("q~", "q~\u007f", "PartitionKey eq 'p' and RowKey ge 'q~' and RowKey lt 'r'")]
    [InlineData("~~", "~~\u007f", "PartitionKey eq 'p' and RowKey ge '~~'")]
    [InlineData("a/b", "a:", "PartitionKey eq 'p' and RowKey ge 'a0' and RowKey lt 'aA'")]
    [InlineData("b", "b", null)]
    [InlineData("d", "b", null)]
    [InlineData("~\u007f", "\u007f", null)]
    public void ARangeIsAFilter(string from, string to, string? filter) => Assert.Equal(filter, AzureFilter.Of("p", new(from, to)));

    [Fact]
    public void AFilterHoldsTheKeysOfItsRange()
    {
        string[] characters = [" ", "!", "-", ".", "/", "0", "@", "Z", "[", "_", "`", "a", "z", "~", "\u007f"];
        string[] bounds = ["", .. characters, .. characters.SelectMany(one => characters.Select(two => one + two))];
        string[] keys = [.. bounds.Where(StoreLimits.IsKey)];
        foreach (var from in bounds)
        {
            foreach (var to in bounds)
            {
                var range = new KeyRange(from, to);
                var (low, high) = Bounds(AzureFilter.Of("p", range));
                Assert.Equal(
                    keys.Where(range.Contains),
                    keys.Where(key => string.CompareOrdinal(low, key) <= 0 && (high is null || string.CompareOrdinal(key, high) < 0))
                );
            }
        }
    }

    /// <summary>What stands after <c>ge</c> and <c>lt</c>; a range of nothing is from DEL on.</summary>
    private static (string Low, string? High) Bounds(string? filter)
    {
        if (filter is null)
        {
            return ("\u007f", null);
        }

        return (After("ge") ?? "", After("lt"));

        string? After(string comparison) =>
            filter.Split($"RowKey {comparison} '") is [_, var rest] ? rest[..rest.IndexOf('\'', StringComparison.Ordinal)] : null;
    }
}
