using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Grains.Logs.Sql;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace EndToEnd.Logs;

/// <summary>
/// Users' SQL runs in a process of its own: whatever a statement does, it costs its own query a sentence, and the silo goes on.
/// </summary>
/// <remarks>
/// Statements that leave the silo as it is share one, of this class alone: two statements at once are all that a silo takes.
/// </remarks>
public sealed class SqlProcessTests : IClassFixture<ReadySilo>, IDisposable
{
    private const ulong Noon = 1_763_812_800_000_000_000; // 2025-11-22T12:00:00Z

    /// <summary>Statements side by side.</summary>
    private const int AtOnce = 4;

    private const string Endless = "select count(*) from range(1000000000000) where range % 7 = 3";

    private readonly SiloPlace _place = new();
    private readonly LogDoor _door;
    private readonly ReadySilo _asked;
    private readonly LogDoor _askedDoor;

    public SqlProcessTests(ReadySilo asked) => (_door, _asked, _askedDoor) = (new(_place), asked, new(asked.Place));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _door.Dispose();
        _askedDoor.Dispose();
        _place.Dispose();
    }

    [Fact]
    public async Task AStatementThatCrashesDuckDbCostsItsOwnQueryASentence()
    {
        await using var silo = await Silo("--Logs:QueryTime", "00:00:10", "--Logs:SqlProcesses", $"{AtOnce}");
        string[] statements =
        [
            "select json_structure(string_agg('[','') || string_agg(']','')) from range(1000000)",
            "select json_structure(string_agg('[','') || string_agg(']','')) from range(100000)",
            "select json_structure(string_agg('{\"a\":','') || '1' || string_agg('}','')) from range(100000)",
            "select json_merge_patch(j, j) from (select string_agg('{\"a\":','') || '1' || string_agg('}','') j from range(100000))",
            "select json_pretty((string_agg('[','') || string_agg(']',''))::json) from range(200000)",
            "select json_transform(string_agg('[','') || string_agg(']',''), '[\"JSON\"]') from range(200000)",
            "select count(*) from json_tree((select string_agg('[','') || string_agg(']','') from range(200000)))",
            "select " + new string('(', 8000) + "1" + new string(')', 8000),
            "select " + string.Concat(Enumerable.Repeat("abs(", 3000)) + "1" + new string(')', 3000),
            "select " + string.Concat(Enumerable.Repeat("not ", 4000)) + "true",
            "select 1" + string.Concat(Enumerable.Repeat("+1", 8000)),
            "select " + string.Concat(Enumerable.Repeat("[", 5000)) + new string(']', 5000),
            string.Join(" union all ", Enumerable.Repeat("select 1", 900)),
        ];
        var outcomes = await AllCostTheirOwnQuery(silo, statements);

        // What crashed says so; that any of them does is a matter of DuckDB's version, and the first did in four of four.
        Assert.All(outcomes.Where(outcome => outcome.Outcome == "crash"), outcome =>
            Assert.Contains("Only this query was lost", outcome.Detail, StringComparison.Ordinal)
        );
        Assert.NotEqual("whole", outcomes[0].Outcome);
    }

    [Fact]
    public async Task AStatementThatGrowsIsEndedWithinItsMemory()
    {
        await using var silo = await Silo("--Logs:QueryTime", "00:00:10", "--Logs:SqlProcesses", $"{AtOnce}");
        var most = 0L;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var watch = Task.Run(() => Watch(silo, bytes => most = Math.Max(most, bytes), over.Token), Cancel);
        var outcomes = await AllCostTheirOwnQuery(
            silo,
            "select [NULL::INTEGER[100000][100]] from range(3000)",
            "select list(repeat('x', 1000000) || range) from range(100000)",
            "select string_agg(repeat('x', 1000) || range, '') from range(10000000)",
            "select repeat('a', 4000000000)",
            "select len(lpad('a', 2000000000, 'b'))",
            "select list_transform(range(1000000), x -> repeat('y', 10000))",
            "with recursive a as (select 'x' s union all select s || s from a) select max(length(s)) from a",
            "with recursive a as (select 1 n, ['x'] s union all select n + 1, list_concat(s, s) from a) select max(len(s)) from a",
            "select generate_series(1, 1000000000)",
            "select sum(len(range(1000000000)))",
            "select list(a.range::varchar || b.range) from range(100000) a, range(100000) b",
            "select replace(replace(replace(repeat('a', 1000), 'a', repeat('a', 1000)), 'a', repeat('a', 1000)), 'a', repeat('a', 1000))",
            "select hex(hex(hex(hex(hex(hex(hex(repeat('a', 10000000))))))))",
            "select to_json(list(repeat('\"', 100000))) from range(100000)",
            "select histogram(range::varchar || repeat('x', 1000)) from range(10000000)",
            "select list_resize([1], 1000000000)",
            "select format('{:2000000000}', 1)"
        );
        await over.CancelAsync();
        await watch;

        Assert.All(outcomes, outcome => Assert.Contains(outcome.Outcome, new[] { "memory", "size", "time", "wrong", "crash" }));
        Assert.Equal("memory", outcomes[0].Outcome);
        Assert.InRange(most, 1, 1024L * 1024 * 1024); // Of 512 MiB, and what it may grow between two looks.
    }

    [Fact]
    public async Task AStatementThatCannotBeInterruptedIsEndedWhenItsTimeIsOver()
    {
        await using var silo = await Silo("--Logs:QueryTime", "00:00:08", "--Logs:SqlProcesses", "10");
        await _door.Send("slow", Noon, string.Concat(Enumerable.Repeat("a_", 20_000)));
        const string Slow = "select count(*) from logs l, range(1000) where body || range like '%a_%a_%a_%a_%a_%a_%a_%b'";
        _ = await _door.Sql("select 1");

        var took = Stopwatch.StartNew();
        var both = await Task.WhenAll(Asked(Slow), Asked(Slow));
        Assert.All(both, outcome => Assert.Equal("time", outcome.Outcome));
        Assert.All(both, outcome => Assert.Contains("Logs:QueryTime", outcome.Detail, StringComparison.Ordinal));
        Assert.True(took.Elapsed >= TimeSpan.FromSeconds(8), $"It was ended after {took.Elapsed}.");

        string[] statements =
        [
            "select sleep_ms(600000)",
            "select levenshtein(repeat('ab', 50000), repeat('ba', 50000))",
            "select damerau_levenshtein(repeat('ab', 5000), repeat('ba', 5000))",
            "select count(*) from range(1000000) where regexp_matches(repeat('ab', 50000) || range, '(a|b)*c')",
            "select repeat('a_', 1000000) like '%a_%a_%a_%a_%a_%a_%a_%a_%b'",
            "select list_sort(list_transform(range(3000000), x -> hash(x)))::varchar like '%1_%2_%3_%4_%5_%6_%7_%8_%9_%x'",
            "select json_extract(repeat('[', 100000), '$[0]') from range(100000)",
            "select count(*) from range(1000000000000) where range % 7 = 3",
            "select count(*) from range(100000) a, range(100000) b, range(1000) c where a.range * b.range + c.range = 7",
            "with recursive a as (select 1 n union all select n + 1 from a) select max(n) from a",
        ];
        var outcomes = await Task.WhenAll(statements.Select(sql => Asked(sql)));
        Assert.Equal("time", outcomes[0].Outcome);
        await StillAnswers(silo);
    }

    [Fact]
    public async Task StatementsThatStandStillKeepNobodyFromSearchingAndWhoeverWaitsTooLongIsTold()
    {
        await using var silo = await Silo("--Logs:QueryTime", "00:00:15");
        await _door.Send("shop", Noon, "hello");
        var slow = Enumerable.Range(0, 2).Select(_ => Asked("select sleep_ms(600000)")).ToArray();
        await Wait.Until(() => Children(silo).Count == 2, "a change", () => "Two statements did not run.");

        Assert.Single(await _door.Find("service:shop"));
        Assert.Equal(HttpStatusCode.OK, (await _door.Ask(HttpMethod.Get, "/api/logs/stats?since=2025-11-22")).Status);
        var (status, answer) = await _door.Ask(HttpMethod.Post, "/api/logs/sql", """{"sql":"select 1"}""");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("2 statements of SQL at once (Logs:SqlProcesses)", answer, StringComparison.Ordinal);

        Assert.All(await Task.WhenAll(slow), outcome => Assert.Equal("time", outcome.Outcome));
        await StillAnswers(silo);
    }

    [Fact]
    public async Task TheProcessHasNothingOfTheSiloAndIsTheFirstToGo()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The limits of a process are read from /proc.");
        await using var silo = await Silo();
        await _door.Send("shop", Noon, "hello");
        Assert.Equal(1, await _door.Count("shop"));

        var child = Assert.Single(Children(silo));
        Assert.Equal(1, await _door.Count("shop"));
        Assert.Equal(child, Assert.Single(Children(silo))); // Kept for the next.
        var environment = (await File.ReadAllTextAsync($"/proc/{child}/environ", Cancel))
            .Split('\0', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=')[0]);
        Assert.Empty(
            environment.Except([
                "DOTNET_ROOT",
                "DOTNET_gcServer",
                "DOTNET_gcConcurrent",
                "DOTNET_GCHeapHardLimit",
                "DOTNET_EnableDiagnostics",
                "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT",
                "LD_LIBRARY_PATH",
            ])
        );
        var open = new DirectoryInfo($"/proc/{child}/fd").EnumerateFiles().Select(file => file.LinkTarget ?? "").ToList();
        Assert.DoesNotContain(open, target =>
            target.StartsWith("socket:", StringComparison.Ordinal) || target.StartsWith(_place.Folder, StringComparison.Ordinal)
        );
        Assert.Equal("1000", (await File.ReadAllTextAsync($"/proc/{child}/oom_score_adj", Cancel)).Trim());
        var limits = await File.ReadAllLinesAsync($"/proc/{child}/limits", Cancel);
        Assert.Matches(
            @"^Max data size +536870912 +536870912 ",
            Assert.Single(limits, line => line.StartsWith("Max data size", StringComparison.Ordinal))
        );
        Assert.Matches(@"^Max core file size +0 +0 ", Assert.Single(limits, line => line.StartsWith("Max core", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task ThereIsNoProcessBeforeTheFirstStatementAndNoneIsLeftWhenTheSiloIsKilled()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Processes are listed from /proc.");
        await using var silo = await Silo();
        Assert.Empty(Children(silo));
        _ = await _door.Sql("select 1");
        var child = Assert.Single(Children(silo));
        var before = Cpu(child);
        var lost = Lost();
        await Wait.Until(() => HasWorked(child, before), "a change", () => "The statement did not begin.");

        await silo.Kill9();

        await Wait.Until(() => !Directory.Exists($"/proc/{child}"), "a change", () => "The SQL process outlived its silo.");
        await lost;

        // A statement that does not hear that its caller is gone.
        async Task Lost() =>
            await Assert.ThrowsAnyAsync<HttpRequestException>(() =>
                Asked("select levenshtein(repeat('ab', 500000), repeat('ba', 500000))")
            );
    }

    [Fact]
    public async Task ASiloThatIsToldToStopLeavesNoProcess()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Processes are listed from /proc.");
        await using var silo = await Silo();
        _ = await _door.Sql("select 1");
        var child = Assert.Single(Children(silo));

        silo.Terminate();

        Assert.Equal(0, await silo.Exit);
        await Wait.Until(() => !Directory.Exists($"/proc/{child}"), "a change", () => "The SQL process outlived its silo.");
    }

    [Fact]
    public async Task AProcessThatIsKilledFromOutsideIsReplaced()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Processes are listed from /proc.");
        await using var silo = await Silo();
        _ = await _door.Sql("select 1");
        var idle = Assert.Single(Children(silo));
        Kill(idle);
        await Wait.Until(() => !Children(silo).Contains(idle), "a change", () => "It was not killed.");
        Assert.Equal(1, await _door.Number("select 1"));

        var busy = Assert.Single(Children(silo));
        var before = Cpu(busy);
        var asked = Asked(Endless);
        await Wait.Until(() => HasWorked(busy, before), "a change", () => "The statement did not begin.");
        Kill(busy);
        var outcome = await asked;
        Assert.Equal("memory", outcome.Outcome); // The system ends processes so when memory runs out.
        await StillAnswers(silo);
    }

    [Fact]
    public async Task ACallerThatHangsUpEndsItsStatement()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Processes are listed from /proc.");
        await using var silo = await Silo();
        _ = await _door.Sql("select 1");
        var child = Assert.Single(Children(silo));
        using (var http = new HttpClient { BaseAddress = new($"http://{_place.Http}") })
        using (var leave = CancellationTokenSource.CreateLinkedTokenSource(Cancel))
        {
            var before = Cpu(child);
            using var content = new StringContent(
                JsonSerializer.Serialize(new { sql = Endless }),
                System.Text.Encoding.UTF8,
                "application/json"
            );
            var asked = http.PostAsync(new Uri("/api/logs/sql", UriKind.Relative), content, leave.Token);
            await Wait.Until(() => HasWorked(child, before), "a change", () => "The statement did not begin.");
            await leave.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        }

        await Wait.Until(() => !Children(silo).Contains(child), "a change", () => "The statement goes on though nobody waits for it.");
        await StillAnswers(silo);
    }

    [Fact]
    public async Task AProcessThatNobodyAsksIsEndedAfterAWhile()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Processes are listed from /proc.");
        var program = SqlProgram.Of(SiloProcess.DotNet, Path.Combine(AppContext.BaseDirectory, "Silo.dll"));
        using var processes = new SqlProcesses(
            program,
            onEnded: static _ => { },
            TimeProvider.System,
            NullLogger<SqlProcesses>.Instance,
            keptFor: TimeSpan.FromSeconds(2)
        );

        var answer = await processes.Run(
            new("select 7", 0, ulong.MaxValue, [], Limit: 1, MaxBytes: 100, Memory: 256 * 1024 * 1024, DataBytes: 512 * 1024 * 1024),
            Cancel
        );

        Assert.Equal("[7]", Assert.Single(answer.Rows));
        // Other classes of this process have children too.
        var child = Assert.Single(Children(Environment.ProcessId), id =>
            File.ReadAllText($"/proc/{id}/cmdline").Contains("sql-process", StringComparison.Ordinal)
        );
        await Wait.Until(() => !Children(Environment.ProcessId).Contains(child), "the process that nobody asks to end");
    }

    [Theory]
    [InlineData("copy (select 1) to 'x.csv'")]
    [InlineData("attach 'x.db'")]
    [InlineData("select * from read_csv('/etc/passwd')")]
    [InlineData("select * from '/etc/passwd'")]
    [InlineData("install httpfs")]
    [InlineData("load '/tmp/x.duckdb_extension'")]
    [InlineData("set memory_limit = '10GB'")]
    [InlineData("pragma database_list")]
    [InlineData("select getenv('HOME')")]
    [InlineData("select current_setting('allowed_paths')")]
    [InlineData("export database 'x'")]
    [InlineData("select * from read_text('https://example.org/')")]
    [InlineData("select * from glob('/*')")]
    public async Task FilesSettingsAndTheNetworkStayOutOfReach(string sql)
    {
        var silo = await _asked.Started();

        var (status, answer) = await _askedDoor.Ask(HttpMethod.Post, "/api/logs/sql", JsonSerializer.Serialize(new { sql }));

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.DoesNotContain(_asked.Place.Folder, answer, StringComparison.Ordinal);
        Assert.DoesNotContain("root:", answer, StringComparison.Ordinal);
        await StillAnswers(silo, _askedDoor);
    }

    [Fact]
    public async Task AHugeAnswerIsCutAndSaidToBe()
    {
        var silo = await _asked.Started();

        var wide = await Asked("select repeat('x', 1000000) from range(100)", _askedDoor);
        Assert.Equal("size", wide.Outcome);
        Assert.Contains("after 16 rows", wide.Detail, StringComparison.Ordinal);
        Assert.Equal("size", (await Asked("select repeat('x', 20000000)", _askedDoor)).Outcome);
        Assert.Equal("limit", (await Asked("select range from range(1000000000)", _askedDoor)).Outcome);
        var console = await _askedDoor.Run("sql", "select repeat('x', 1000000) from range(100)");
        Assert.Equal(1, console.Code);
        Assert.Contains("after 16 rows", console.Error, StringComparison.Ordinal);
        await StillAnswers(silo, _askedDoor);
    }

    private async Task<SiloProcess> Silo(params string[] settings) => await SiloProcess.StartReady(_place, settings);

    /// <summary>
    /// Each is answered with how it ended, and the silo answers as before: the first by itself, the others some at a time.
    /// </summary>
    private async Task<IReadOnlyList<(string Outcome, string Detail)>> AllCostTheirOwnQuery(SiloProcess silo, params string[] statements)
    {
        var outcomes = new List<(string Outcome, string Detail)>();
        foreach (var some in statements.Skip(1).Chunk(AtOnce).Prepend([statements[0]]))
        {
            foreach (var (sql, outcome) in some.Zip(await Task.WhenAll(some.Select(sql => Asked(sql)))))
            {
                TestContext.Current.TestOutputHelper?.WriteLine(
                    $"{outcome.Outcome}: {outcome.Detail[..Math.Min(outcome.Detail.Length, 120)]} <- {sql[..Math.Min(sql.Length, 80)]}"
                );
                outcomes.Add(outcome);
            }

            await StillAnswers(silo);
        }

        return outcomes;
    }

    private async Task StillAnswers(SiloProcess silo, LogDoor? door = null)
    {
        door ??= _door;
        Assert.Equal(42, await door.Number("select 42"));
        Assert.Equal(HttpStatusCode.OK, (await door.Ask(HttpMethod.Get, "/health/ready")).Status);
        Assert.False(silo.Exit.IsCompleted);
    }

    private async Task<(string Outcome, string Detail)> Asked(string sql, LogDoor? door = null)
    {
        var (status, answer) = await (door ?? _door).Ask(
            HttpMethod.Post,
            "/api/logs/sql",
            JsonSerializer.Serialize(new { sql, limit = 1000 })
        );
        Assert.DoesNotContain((door is null ? _place : _asked.Place).Folder, answer, StringComparison.Ordinal);
        if (status == HttpStatusCode.BadRequest)
        {
            return ("wrong", answer);
        }

        Assert.True(status == HttpStatusCode.OK, $"{status} {answer[..Math.Min(answer.Length, 1000)]}");
        var end = JsonElement.Parse(answer).GetProperty("end");
        return (end.GetProperty("outcome").GetString()!, end.GetProperty("detail").GetString() ?? "");
    }

    private static void Kill(int process)
    {
        using var found = Process.GetProcessById(process);
        found.Kill();
    }

    private static IReadOnlyList<int> Children(SiloProcess silo) => Children(silo.ProcessId);

    private static IReadOnlyList<int> Children(int parent) =>
        [
            .. Directory
                .EnumerateDirectories("/proc")
                .Select(folder => Path.GetFileName(folder))
                .Where(name => name.All(char.IsAsciiDigit))
                .Select(name => int.Parse(name, CultureInfo.InvariantCulture))
                .Where(process => Stat(process) is { } stat && stat[1] == parent.ToString(CultureInfo.InvariantCulture) && stat[0] != "Z"),
        ];

    /// <summary>proc(5): what follows the name, from the state on; null when the process is gone.</summary>
    private static string[]? Stat(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>It has worked for a second of a processor since: its statement runs.</summary>
    private static bool HasWorked(int process, long since) => Cpu(process) - since > 100;

    /// <summary>Time of a processor, in hundredths of a second; 0 when the process is gone.</summary>
    private static long Cpu(int process) =>
        Stat(process) is { } stat
            ? long.Parse(stat[11], CultureInfo.InvariantCulture) + long.Parse(stat[12], CultureInfo.InvariantCulture)
            : 0;

    private static async Task Watch(SiloProcess silo, Action<long> seen, CancellationToken over)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!over.IsCancellationRequested)
        {
            foreach (var child in Children(silo))
            {
                if (Stat(child) is { } stat)
                {
                    seen(long.Parse(stat[21], CultureInfo.InvariantCulture) * Environment.SystemPageSize);
                }
            }

            try
            {
                await tick.WaitForNextTickAsync(over);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
