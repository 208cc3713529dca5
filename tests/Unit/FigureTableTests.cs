using Benchmarks;
using Xunit;

namespace Unit;

/// <summary>The table of <c>tests/Benchmarks</c>.</summary>
public sealed class FigureTableTests
{
    private static readonly Figure Rate = new("crawl", "pages/s", [400, 500, 300], [1000, 1000, 1000]) { AtLeast = 0.45 };
    private static readonly Figure Cost = new("logs", "CPU-s", [4, 6], [1, 1]) { AtMost = 5 };
    private static readonly Figure Value = new("watch", "KiB a watcher", [1234.4]);

    [Fact]
    public void ALineHasTheMediansTheSpreadAndWhetherTheMarkIsKept() =>
        Assert.Equal(
            """
            | benchmark | figure | value | baseline | ratio | rounds | mark | |
            |---|---|--:|--:|--:|--:|--:|---|
            | crawl | pages/s | 400 | 1,000 | 0.40 | 0.30 to 0.50 | ≥ 0.45 | missed |
            | logs | CPU-s | 5.00 | 1.00 | 5.00 | 4.00 to 6.00 | ≤ 5.00 | kept |
            | watch | KiB a watcher | 1,234 |  |  | 1,234 |  | told |

            """,
            FigureTable.Write([Rate, Cost, Value])
        );

    [Fact]
    public void ARatioIsThatOfTheRoundsAndNotOfTheMedians()
    {
        // The second round was disturbed, and its baseline with it.
        var figure = new Figure("crawl", "pages/s", [400, 40, 500], [1000, 100, 1250]);

        Assert.Equal(0.4, figure.Ratio);
    }

    [Fact]
    public void AMarkIsAboutTheValueWhereThereIsNoBaseline()
    {
        Assert.True(new Figure("watch", "cores", [0.7]) { AtMost = 0.8 }.IsKept);
        Assert.False(new Figure("watch", "cores", [0.9]) { AtMost = 0.8 }.IsKept);
        Assert.Null(Value.IsKept);
    }

    [Theory]
    [InlineData(0.89, 5.0, "Lost: crawl, pages/s: the ratio is 0.36, it was 0.40.")]
    [InlineData(0.91, 5.0, null)]
    [InlineData(1.5, 5.0, null)]
    [InlineData(1.0, 5.6, "Lost: logs, CPU-s: the ratio is 5.60, it was 5.00.")]
    [InlineData(1.0, 5.4, null)]
    [InlineData(1.0, 2.0, null)]
    public void OnlyARatioThatIsWorseByMoreThanATenthIsALoss(double rate, double cost, string? loss)
    {
        var before = "# A page\n\nWords.\n" + FigureTable.Write([Rate, Cost, Value]);
        Figure[] now =
        [
            new("crawl", "pages/s", [400 * rate], [1000]),
            new("logs", "CPU-s", [cost], [1]) { AtMost = 5 },
            new("watch", "KiB a watcher", [9999]),
            new("new", "never measured", [1], [100]),
        ];

        Assert.Equal(loss is null ? [] : [loss], FigureTable.Losses(now, before));
    }
}
