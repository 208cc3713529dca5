using Xunit;

namespace Unit.Client;

public sealed class ListingTests
{
    private const string Id = "07-829w2xeh60vh99fzsr0fm7hmv9";

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(120)]
    [InlineData(200)]
    public void ATableHidesNothingAndBreaksNoIdOrNumberAtAnyWidth(int width)
    {
        var lines = Write(width);

        Assert.All((string[])[Id, "1,284,122", "120", "0 refused", "placed", "2026-11-30 08:16:44Z", "balances"], text =>
            Assert.Contains(lines, line => line.Contains(text, StringComparison.Ordinal))
        );
        Assert.All(lines, line => Assert.True(line.Length <= width, line));
    }

    [Fact]
    public void ATableThatDoesNotFitIsABlockForEachRow()
    {
        var lines = Write(60);

        Assert.Contains(lines, line =>
            line.TrimStart().StartsWith("order", StringComparison.Ordinal) && line.Contains(Id, StringComparison.Ordinal)
        );
        Assert.Equal(2, lines.Count(line => line.Contains(Id, StringComparison.Ordinal)));
    }

    [Fact]
    public void ATableThatFitsHasOneLineForEachRow()
    {
        var row = Write(200).Single(line => line.Contains("1,284,122", StringComparison.Ordinal));

        Assert.Contains(Id, row, StringComparison.Ordinal);
        Assert.Contains("balances", row, StringComparison.Ordinal);
    }

    private static string[] Write(int width)
    {
        using var output = new StringWriter { NewLine = "\n" };
        var terminal = new Terminal(
            output,
            TextWriter.Null,
            outputIsTerminal: true,
            errorIsTerminal: false,
            (_, _) => Task.FromResult(false),
            TimeProvider.System
        );
        terminal.Console.Profile.Width = width;
        terminal.Console.Profile.Capabilities.Ansi = false;
        var listing = new Listing()
            .Column("order")
            .Column("in", right: true)
            .Column("= done", right: true)
            .Column("+ refused", wrap: true)
            .Column("status")
            .Column("placed")
            .Column("books");
        listing.Row(Id, "1,284,122", "120", "0 refused", "placed", "2026-11-30 08:16:44Z", "balances");
        listing.Row(Id, "122", "2", "0 refused", "paid", "2026-11-30 08:16:45Z", "balances");
        listing.WriteTo(terminal);
        return output.ToString().Split('\n');
    }
}
