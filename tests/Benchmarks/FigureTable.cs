using System.Globalization;
using System.Text;

namespace Benchmarks;

/// <summary>The figures of benchmarks as a table in Markdown, for people and for <c>docs/performance.md</c>.</summary>
internal static class FigureTable
{
    /// <summary>Of a ratio; what is less may be the machine.</summary>
    public const double Loss = 0.1;

    private const string Head = "| benchmark | figure | value | baseline | ratio | rounds | mark | |";

    /// <summary>Prints the table.</summary>
    /// <returns>The code to end with: 0 when every mark is kept.</returns>
    public static int Print(IReadOnlyList<Figure> figures)
    {
        Console.WriteLine();
        Console.Write(Write(figures));
        return figures.Any(figure => figure.IsKept is false) ? 1 : 0;
    }

    public static string Write(IReadOnlyList<Figure> figures)
    {
        var text = new StringBuilder();
        text.AppendLine(Head);
        text.AppendLine("|---|---|--:|--:|--:|--:|--:|---|");
        foreach (var figure in figures)
        {
            var compared = figure.Compared.Order().ToArray();
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {figure.Benchmark} | {figure.What} | {Number(figure.Value)} | {Number(figure.Baseline)} | {Number(figure.Ratio)} | "
                    + $"{Spread(compared)} | {Mark(figure)} | {Verdict(figure.IsKept)} |"
            );
        }

        return text.ToString();
    }

    /// <summary>
    /// A sentence for each ratio that is worse by more than <see cref="Loss"/> than in a table written before. What is only in one of them
    /// is passed over, and so are values that have no baseline: they are the machine's.
    /// </summary>
    /// <param name="before">A text with a table in it, as <see cref="Write"/> wrote it.</param>
    public static IEnumerable<string> Losses(IReadOnlyList<Figure> figures, string before)
    {
        var ratios = new Dictionary<(string, string), double>();
        foreach (var line in before.Split('\n'))
        {
            if (
                line.Split('|', StringSplitOptions.TrimEntries) is ["", var benchmark, var what, _, _, var ratio, ..]
                && double.TryParse(ratio, NumberStyles.Float | NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var number)
            )
            {
                ratios[(benchmark, what)] = number;
            }
        }

        foreach (var figure in figures)
        {
            if (
                figure.Ratio is { } now
                && ratios.TryGetValue((figure.Benchmark, figure.What), out var then)
                && (figure.IsCost ? now > then * (1 + Loss) : now < then * (1 - Loss))
            )
            {
                yield return $"Lost: {figure.Benchmark}, {figure.What}: the ratio is {Number(now)}, it was {Number(then)}.";
            }
        }
    }

    /// <summary>Three digits that count, and no more than it has.</summary>
    public static string Number(double? number) =>
        number switch
        {
            null => "",
            { } value when Math.Abs(value) >= 100 => value.ToString("#,0", CultureInfo.InvariantCulture),
            { } value when Math.Abs(value) >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
            { } value => value.ToString("0.00", CultureInfo.InvariantCulture),
        };

    private static string Spread(double[] sorted) =>
        sorted.Length == 1 ? Number(sorted[0]) : $"{Number(sorted[0])} to {Number(sorted[^1])}";

    private static string Mark(Figure figure) =>
        figure.AtLeast is { } least ? $"≥ {Number(least)}"
        : figure.AtMost is { } most ? $"≤ {Number(most)}"
        : "";

    private static string Verdict(bool? isKept) =>
        isKept switch
        {
            true => "kept",
            false => "missed",
            null => "told",
        };
}
