using Grains.Interfaces.Logs;
using Xunit;

namespace Unit.Logs.Reading;

public sealed class LogStatementsTests
{
    private const ulong Second = 1_000_000_000;

    public static TheoryData<string> Refused => [.. LogRows.Read("sql-refused.tsv").Select(row => row[0])];

    public static TheoryData<string, string> Allowed => new(LogRows.Read("sql-allowed.tsv").Select(row => (row[0], row[1])));

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task ThereIsNoWayOutOfTheViews(string sql)
    {
        using var questions = await Asked();

        var reply = await questions.Sql(sql);

        Assert.Equal((QueryOutcome.Wrong, 0), (reply.End.Outcome, reply.Rows.Length));
        Assert.NotEmpty(reply.End.Sentence!);
    }

    [Theory]
    [MemberData(nameof(Allowed))]
    public async Task WhatIsAskedOfTheViewIsAnswered(string sql, string rows)
    {
        using var questions = await Asked();

        var reply = await questions.Sql(sql);

        Assert.Null(reply.End.Sentence);
        Assert.Equal(rows, string.Join(' ', reply.Rows));
    }

    [Fact]
    public async Task OfTooManyRowsTheFirstAreToldAndThatThereAreMore()
    {
        using var questions = await Asked();

        var reply = await questions.Sql("select range from range(1000000000)", limit: 7);

        Assert.Equal((7, QueryOutcome.Limit), (reply.Rows.Length, reply.End.Outcome));
    }

    [Fact]
    public async Task AnAnswerThatBecomesTooLargeIsEnded()
    {
        using var questions = await Asked();

        var reply = await questions.Sql(
            "select md5(range::varchar) || md5(range::varchar) || md5(range::varchar) from range(1000000)",
            limit: AskSql.MaxRows
        );
        Assert.Equal(QueryOutcome.Limit, reply.End.Outcome);

        reply = await questions.Sql(
            "select [md5(range::varchar), md5(range::varchar), md5(range::varchar), md5(range::varchar), md5(range::varchar), "
                + "md5(range::varchar), md5(range::varchar)] from range(1000000)",
            limit: AskSql.MaxRows
        );
        Assert.Equal(QueryOutcome.Size, reply.End.Outcome);
    }

    [Theory]
    [InlineData("select list(range) from range(100000000)")]
    [InlineData("select string_agg('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' || range) from range(100000000)")]
    public async Task WhatNeedsMoreMemoryThanTheDatabaseHasIsStopped(string sql)
    {
        using var questions = new Questions(options => options.QueryMemory = 64 * 1024 * 1024);
        await questions.Shelf.Add(TestRecord.Block(new TestRecord()));

        Assert.Equal(QueryOutcome.Memory, (await questions.Sql(sql)).End.Outcome);
    }

    [Fact]
    public async Task ARowThatAloneIsLargerThanAnAnswerIsLeftOut()
    {
        using var questions = await Asked();

        var reply = await questions.Sql("select repeat('a', 20000000)");

        Assert.Equal((QueryOutcome.Size, 0), (reply.End.Outcome, reply.Rows.Length));
        Assert.Contains("after 0 rows", reply.End.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AMessageOfAnyLengthIsCut()
    {
        using var questions = await Asked();

        var reply = await questions.Sql("select error(repeat('a', 10000000))");

        Assert.Equal(QueryOutcome.Wrong, reply.End.Outcome);
        Assert.InRange(reply.End.Sentence!.Length, 1, 2_001);
    }

    [Fact]
    public async Task WithNothingStoredTheViewIsEmptyAndHasItsColumns()
    {
        using var questions = new Questions();

        Assert.Equal(["[0]"], (await questions.Sql("select count(*) from logs")).Rows);
        Assert.Equal(["time", "severity", "severity_name"], (await questions.Sql("select * from logs")).Columns.Take(3));
    }

    [Fact]
    public async Task SinceAndUntilBoundTheView()
    {
        using var questions = await Asked();

        var reply = await questions.Statements.Ask(
            new("select count(*) from logs", LogForm.Moment(TestRecord.Noon + Second), LogForm.Moment(TestRecord.Noon + (2 * Second)), 10),
            TestContext.Current.CancellationToken
        );

        Assert.Equal("[1]", Assert.Single(reply.Rows));
    }

    private static async Task<Questions> Asked()
    {
        var questions = new Questions();
        await questions.Shelf.Add(
            TestRecord.Block(
                new(Service: "shop", Severity: 9, Body: "hello", Attributes: """{"user":{"id":42}}"""),
                new(TestRecord.Noon + Second, Service: "shop", Severity: 17, Body: "no"),
                new(TestRecord.Noon + (3 * Second) + 7, Service: "cart", Severity: 0, Body: "größer")
            )
        );
        return questions;
    }
}
