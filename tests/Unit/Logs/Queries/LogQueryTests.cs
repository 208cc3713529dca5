using Grains.Logs.Queries;
using Xunit;

namespace Unit.Logs.Queries;

public sealed class LogQueryTests
{
    public static TheoryData<string, string, string> Cases() => new(LogRows.Read("queries.tsv").Select(row => (row[0], row[1], row[2])));

    public static TheoryData<string, int, string> Errors() =>
        new(
            LogRows
                .Read("query-errors.tsv")
                .Select(row => (row[0], int.Parse(row[1], System.Globalization.CultureInfo.InvariantCulture), row[2]))
        );

    [Theory]
    [MemberData(nameof(Cases))]
    public void ARecordMatchesAsTheTableSays(string query, string record, string matches)
    {
        Assert.Equal(matches == "yes", LogQuery.Parse(query).Predicate.Matches(TestRecord.Block(TestRecord.Parse(record))[0]));
    }

    [Fact]
    public void DuckDbAgreesWithEveryRowOfTheTable()
    {
        var rows = LogRows.Read("queries.tsv").ToArray();
        using var table = new LogTable(rows.Select(row => TestRecord.Parse(row[1])));

        var wrong = rows.Where((row, number) => table.Matching(LogQuery.Parse(row[0])).Contains(number) != (row[2] == "yes"));

        Assert.Empty(wrong.Select(row => $"{row[0]} on {row[1]} is not \"{row[2]}\": {LogQuery.Parse(row[0]).Where}"));
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public void AnErrorPointsAtItsColumn(string query, int column, string sentence)
    {
        Assert.False(LogQuery.TryParse(query, out _, out var error));
        Assert.Equal((column, true, sentence), (error.Column, error.Sentence.Contains(sentence, StringComparison.Ordinal), sentence));
    }

    [Fact]
    public void AnErrorIsShownUnderTheQuery()
    {
        var error = Assert.Throws<QueryException>(() => LogQuery.Parse("service:a severity>=warm"));

        Assert.Equal(
            "service:a severity>=warm\n                    ^ column 21: A severity is trace, debug, info, warn, error or fatal, "
                + "one of these with 2, 3 or 4 behind it, or a number from 0 (not said) to 24.",
            error.Message
        );
    }

    [Fact]
    public void OfALongQueryTheErrorShowsWhatIsAround()
    {
        var error = Assert.Throws<QueryException>(() =>
            LogQuery.Parse($"{string.Join(' ', Enumerable.Repeat("abcdefghi", 100))} severity:loud and so on")
        );

        Assert.StartsWith(" abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi severity:loud and so on\n", error.Message);
        Assert.Contains("\n" + new string(' ', 60 - 1) + " ^ column 1010: ", error.Message);
    }

    [Fact]
    public void TheLimitsHold()
    {
        Assert.True(LogQuery.TryParse(new string('x', LogQuery.MaxLength), out _, out _));
        Assert.False(LogQuery.TryParse(new string('x', LogQuery.MaxLength + 1), out _, out var length));
        Assert.Contains("at most 4096 characters", length.Sentence);

        Assert.True(LogQuery.TryParse(string.Join(' ', Enumerable.Repeat("x", LogQuery.MaxTerms)), out _, out _));
        Assert.False(LogQuery.TryParse(string.Join(' ', Enumerable.Repeat("x", LogQuery.MaxTerms + 1)), out _, out var terms));
        Assert.Equal((2 * LogQuery.MaxTerms) + 1, terms.Column);

        Assert.True(LogQuery.TryParse(new string('(', LogQuery.MaxDepth) + "x" + new string(')', LogQuery.MaxDepth), out _, out _));
        Assert.False(
            LogQuery.TryParse(new string('(', LogQuery.MaxDepth + 1) + "x" + new string(')', LogQuery.MaxDepth + 1), out _, out var depth)
        );
        Assert.Equal(LogQuery.MaxDepth + 2, depth.Column);
        Assert.False(LogQuery.TryParse(new string('-', LogQuery.MaxDepth + 1) + "x", out _, out _));
    }

    [Fact]
    public void NothingAndSpaceAreAQueryForEveryRecord()
    {
        Assert.Equal("true", LogQuery.Parse("").Where);
        Assert.Equal("true", LogQuery.Parse("  ").Where);
        Assert.Equal("true", LogQuery.Parse("*").Where);
    }

    [Fact]
    public void AValueCannotLeaveItsLiteral()
    {
        Assert.Equal("(service = 'a''; DROP TABLE logs; --')", LogQuery.Parse("service:\"a'; DROP TABLE logs; --\"").Where);
    }
}
