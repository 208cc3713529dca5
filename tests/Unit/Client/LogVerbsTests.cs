using System.Collections.Immutable;
using Grains.Interfaces.Logs;
using Unit.Logs;
using Xunit;

namespace Unit.Client;

public sealed class LogVerbsTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";

    private readonly ConsoleInMemory _console = new();

    private LogsInMemory Logs => _console.Cluster.Logs;

    [Fact]
    public async Task AQueryPrintsALineARecordAsTheyCome()
    {
        Logs.Found.Add(
            new(LogValue.Block([Record("one"), Record("two\nlines") with { Attributes = """{"user.id":42,"who":"me"}""" }]), null)
        );
        Logs.Found.Add(new(LogValue.Block([]), LogsInMemory.End()));

        var printed = await _console.Run("logs", "query", "service:shop", "--since", "15m", "--limit", "7");

        Assert.Equal(0, printed.Code);
        Assert.Equal(
            ["2026-11-23 12:00:00.123 ERROR  shop one", "2026-11-23 12:00:00.123 ERROR  shop two⏎lines user.id=42 who=me"],
            printed.Lines
        );
        Assert.Equal(new SearchLogs("service:shop", ConsoleInMemory.Start.AddMinutes(-15), null, 7, false), Assert.Single(Logs.Asked));
    }

    [Fact]
    public async Task ForProgramsARecordIsOneObjectWithEveryField()
    {
        Logs.Found.Add(new(LogValue.Block([Record("größer \"1\"") with { Attributes = """{"user":{"id":42}}""", TraceId = Trace }]), null));
        Logs.Found.Add(new(LogValue.Block([]), LogsInMemory.End()));

        var printed = await _console.Run("logs", "query", "--json", "--oldest-first");

        Assert.Equal(
            """{"time":"2026-11-23T12:00:00.123456789Z","observed":"2026-11-23T12:00:00.123456789Z","severity":17,"severityText":"ERR","service":"shop","host":null,"body":"größer \"1\"","attributes":{"user":{"id":42}},"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":null}""",
            Assert.Single(printed.Entries)
        );
        Assert.Equal(new SearchLogs("", null, null, 100, true), Assert.Single(Logs.Asked));
    }

    [Fact]
    public async Task AQueryThatStoppedEarlySaysSoAndEndsWithOne()
    {
        Logs.Found.Add(new(LogValue.Block([Record("one")]), null));
        Logs.Found.Add(new(LogValue.Block([]), LogsInMemory.End(QueryOutcome.Time, "It took longer than 30 s.")));

        var printed = await _console.Run("logs", "query", "x", "--json");

        Assert.Equal((1, 1), (printed.Code, printed.Entries.Length));
        Assert.Contains("\"outcome\":\"time\",", printed.Lines[^1], StringComparison.Ordinal);
        Assert.Equal("Stopped early: It took longer than 30 s. What was read: 2 of 3 segments (1,234 records).\n", printed.Error);
    }

    [Fact]
    public async Task AWrongQueryShowsACaretBelowTheSign()
    {
        Logs.Found.Add(new(LogValue.Block([]), LogsInMemory.End(QueryOutcome.Wrong, "a (\n  ^ column 3: Here.")));

        var printed = await _console.Run("logs", "query", "a (");

        Assert.Equal((2, "a (\n  ^ column 3: Here.\n"), (printed.Code, printed.Error));
    }

    [Theory]
    [InlineData(0, "Nothing is stored yet. Send something with: logs send /var/log/dpkg.log --service dpkg")]
    [InlineData(3, "Nothing that is stored matches.")]
    public async Task WhereNothingIsFoundItSaysWhy(int segments, string sentence)
    {
        Logs.Found.Add(new(LogValue.Block([]), LogsInMemory.End(segments: segments)));

        Assert.Equal(sentence, Assert.Single((await _console.Run("logs", "query", "x")).Lines));
    }

    [Fact]
    public async Task ATimeThatIsNoneIsRefused()
    {
        var printed = await _console.Run("logs", "query", "--since", "yesterday");

        Assert.Equal(
            (2, "--since is how long ago (30s, 15m, 2h, 7d) or a time such as 2026-11-23T10:00:00Z; this is \"yesterday\".\n"),
            (printed.Code, printed.Error)
        );
    }

    [Fact]
    public async Task ATailGoesOnAtAnotherSiloWhenItsOwnGoesAway()
    {
        using var ctrlC = new CancellationTokenSource();
        _console.CtrlC = ctrlC.Token;
        Logs.OnEnd = ctrlC.Cancel;
        Logs.Tails.Enqueue([Page(0), Page(0, Record("one")), null]);
        Logs.Tails.Enqueue([Page(0), Page(5, Record("two"))]);

        var printed = await _console.Run("logs", "tail", "x", "--json");

        Assert.Equal((0, 2), (printed.Code, _console.Opens));
        Assert.Equal(["x", "x"], Logs.Asked);
        Assert.Equal(3, printed.Lines.Length);
        Assert.Contains("\"body\":\"two\"", printed.Lines[1], StringComparison.Ordinal);
        Assert.Equal("""{"missed":5}""", printed.Lines[2]);
    }

    [Fact]
    public async Task RowsOfSqlArePrintedAsATableOrAsCsvOrAsObjects()
    {
        Logs.Rows = new(["service", "n"], ["Varchar", "BigInt"], ["""["a, \"b\"",1]""", "[null,20]"], LogsInMemory.End());

        Assert.Equal(["service   n", "a, \"b\"    1", "         20"], (await _console.Run("logs", "sql", "select 1")).Lines);
        Assert.Equal("service,n\r\n\"a, \"\"b\"\"\",1\r\n,20\r\n", (await _console.Run("logs", "sql", "select 1", "--csv")).Output);
        Assert.Equal(
            ["""{"service":"a, \"b\"","n":1}""", """{"service":null,"n":20}"""],
            (await _console.Run("logs", "sql", "select 1", "--json")).Entries
        );
    }

    [Fact]
    public async Task SegmentsThatCannotBeReadAreNamedBesideTheResultWhichEndsWithOne()
    {
        var end = LogsInMemory.End(QueryOutcome.Partial, "Two cannot be read.") with
        {
            Unreadable = 21,
            UnreadableSegments = ["logs/a.parquet", "logs/b.parquet"],
        };
        Logs.Rows = new(["n"], ["BigInt"], ["[20]"], end);
        Logs.Found.Add(new(LogValue.Block([Record("one")]), null));
        Logs.Found.Add(new(LogValue.Block([]), end));
        const string Sentence =
            "21 segments of the log cannot be read, and what is in them is missing here: logs/a.parquet, logs/b.parquet, and more.\n";

        var sql = await _console.Run("logs", "sql", "select 1", "--json");
        Assert.Equal((1, """{"n":20}""", Sentence), (sql.Code, Assert.Single(sql.Entries), sql.Error));
        var query = await _console.Run("logs", "query", "x", "--json");
        Assert.Equal((1, 1, Sentence), (query.Code, query.Entries.Length, query.Error));
    }

    [Fact]
    public async Task AStatementThatCrashedTheDatabaseIsSaidToHaveAndEndsWithOne()
    {
        Logs.Rows = new([], [], [], LogsInMemory.End(QueryOutcome.Crash, "The database crashed over this statement (signal 11)."));

        var printed = await _console.Run("logs", "sql", "select 1");

        Assert.Equal(1, printed.Code);
        Assert.StartsWith("Stopped early: The database crashed", printed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALedgerWhoseSegmentsCannotBeReadNamesThemAndEndsWithOne()
    {
        Logs.Ledger[0] = [new(ConsoleInMemory.Start, Count("shop", 5, 5))];
        Logs.State = Logs.State with { Unreadable = 1, UnreadableSegments = ["logs/a.parquet"] };
        Logs.Set = Logs.Set with { Shards = 1 };

        var printed = await _console.Run("logs", "ledger", "--json");

        Assert.Equal((1, 1), (printed.Code, printed.Entries.Length));
        Assert.Equal("1 segment of the log cannot be read, and what is in it is missing here: logs/a.parquet.\n", printed.Error);
    }

    [Fact]
    public async Task StatsHaveALineAServiceWithItsShare()
    {
        var since = ConsoleInMemory.Start.AddMinutes(-1);
        Logs.Counted = new(
            since,
            ConsoleInMemory.Start,
            60,
            [new(0, "shop", 9, 30), new(59, "cart", 17, 90)],
            12_000,
            1000,
            LogsInMemory.End()
        );

        var printed = await _console.Run("logs", "stats", "--since", "1m");

        Assert.Equal(
            [
                "from     2026-03-01 11:59:00Z to 2026-03-01 12:00:00Z",
                "records  120",
                "rate     2.0/s, at most 90.0/s in 1.0 s",
                "volume   about 11.7 KB, stored as 1000 B (whole segments)",
                "service  records   rate   share  over time",
                $"cart          90  1.5/s  75.0 %  {new string(' ', 59)}█",
                $"shop          30  0.5/s  25.0 %  █",
            ],
            printed.Lines
        );
        Assert.Equal(new AskStats("", since, ConsoleInMemory.Start, 60), Assert.Single(Logs.Asked));
    }

    [Fact]
    public async Task TheLedgerAddsUpTheShardsAndEndsWithOneWhenALineDoesNotBalance()
    {
        var hour = ConsoleInMemory.Start;
        Logs.Ledger[0] = [new(hour, Count("shop", 10, 9))];
        Logs.Ledger[1] = [new(hour, Count("shop", 5, 5)), new(hour, Count("cart", 1, 1))];

        var printed = await _console.Run("logs", "ledger");

        Assert.Equal(1, printed.Code);
        Assert.Equal(
            [
                "hour            service  received  = stored  + filtered  + sampled  + repeated  + refused  balances",
                "2026-03-01 12h  cart            1         1           0          0           0  0          yes",
                "2026-03-01 12h  shop           15        14           0          0           0  0          NO",
            ],
            printed.Lines
        );
    }

    [Fact]
    public async Task SizesAreComputedByTheFormulasAndHeldAgainstTheSettings()
    {
        var printed = await _console.Run("logs", "size", "--rate", "50000", "--bytes", "300", "--outage", "30s", "--json");

        Assert.Equal(1, printed.Code);
        Assert.Equal(
            """{"needs":{"inFlightBytes":3750000,"bufferBytes":453750000,"shards":1,"batchRecords":55924},"silo":{"bufferBytes":67108864,"shards":2,"lingerMs":150,"segmentBytes":2097152,"segmentRecords":8192,"ridesOutSeconds":4.224,"maxRate":1118480,"acknowledgedAfterMs":250},"holds":false}""",
            Assert.Single(printed.Lines)
        );

        Logs.Set = Logs.Set with { BufferBytes = 453_750_000 };
        Assert.Equal(0, (await _console.Run("logs", "size", "--rate", "50000", "--bytes", "300")).Code);
    }

    [Fact]
    public async Task WhatComesInQuicklyIsWrittenBeforeTheLingerIsOver()
    {
        // 2 shards × 6,990 records of 300 bytes that are worth a segment ÷ 279,600 a second = 50 ms.
        var printed = await _console.Run("logs", "size", "--rate", "279600", "--bytes", "300", "--json");

        Assert.Contains("\"inFlightBytes\":12582000,", Assert.Single(printed.Lines), StringComparison.Ordinal);
        Assert.Contains("\"acknowledgedAfterMs\":150}", printed.Lines[0], StringComparison.Ordinal);
    }

    private static LogValue Record(string body) =>
        new(1_795_435_200_123_456_789, 1_795_435_200_123_456_789, 17, "ERR", "shop", "", "", body, "", "", "");

    private static TailPage Page(long missed, params LogValue[] records) => new(LogValue.Block(records), missed, null);

    private static ServiceCount Count(string service, long received, long stored) =>
        new(service, received, stored, 0, 0, 0, ImmutableSortedDictionary<string, long>.Empty);
}
