namespace Benchmarks;

/// <summary>One figure of a benchmark: medians over the rounds, beside the baseline of the same rounds.</summary>
/// <param name="Benchmark">The verb that measures it.</param>
/// <param name="What">What was measured, with its unit.</param>
/// <param name="Values">By round, one at least.</param>
/// <param name="Baselines">By round; empty when it has none.</param>
internal sealed record Figure(string Benchmark, string What, IReadOnlyList<double> Values, IReadOnlyList<double> Baselines)
{
    public Figure(string benchmark, string what, IEnumerable<double> values)
        : this(benchmark, what, [.. values], []) { }

    public Figure(string benchmark, string what, IEnumerable<double> values, IEnumerable<double> baselines)
        : this(benchmark, what, [.. values], [.. baselines]) { }

    public double Value => Rounds.Median(Values);

    public double? Baseline => Baselines.Count == 0 ? null : Rounds.Median(Baselines);

    /// <summary>Value to baseline: the median of the rounds' ratios, as what disturbs a round disturbs both.</summary>
    public double? Ratio => Baselines.Count == 0 ? null : Rounds.Median(Compared);

    /// <summary>What a mark is about, by round: the ratio where there is a baseline, or else the value.</summary>
    public IEnumerable<double> Compared => Baselines.Count == 0 ? Values : Values.Zip(Baselines, (value, baseline) => value / baseline);

    /// <summary>At least so much is asked; null: no such mark.</summary>
    public double? AtLeast { get; init; }

    /// <summary>At most so much is asked; null: no such mark.</summary>
    public double? AtMost { get; init; }

    /// <summary>A cost: less of it is better. Where there is a mark, that says it.</summary>
    public bool IsCost
    {
        get => field || AtMost is not null;
        init;
    }

    /// <summary>Null: without a mark it is told, and nothing is asked of it.</summary>
    public bool? IsKept =>
        AtLeast is { } least ? Rounds.Median(Compared) >= least
        : AtMost is { } most ? Rounds.Median(Compared) <= most
        : null;
}
