namespace Benchmarks;

/// <summary>What several rounds of a benchmark come to.</summary>
internal static class Rounds
{
    /// <summary>The value in the middle; of an even number of values the mean of the two.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
