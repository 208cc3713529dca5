using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Xunit;

namespace EndToEnd.Logs;

/// <summary>
/// Files as they are on this machine, sent by the built console: as many records as <c>wc -l</c> says, each once, whatever happens to the
/// console or the file.
/// </summary>
public sealed class FilesTests : IAsyncLifetime
{
    private readonly ReadySilo _silo;
    private readonly LogDoor _door;
    private readonly string _folder = Unique.Folder("files");

    public FilesTests(ReadySilo silo) => (_silo, _door) = (silo, new(silo.Place));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>No other test sends under it.</summary>
    private readonly string _service = Unique.Name("app").Replace("-", "", StringComparison.Ordinal);

    private string State => Path.Combine(_folder, "sent");

    public async ValueTask InitializeAsync() => await _silo.Started();

    public ValueTask DisposeAsync()
    {
        _door.Dispose();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task OfThisMachinesOwnFilesEveryLineIsARecordAndSendingAgainSendsNothing()
    {
        var files = await RealFiles();
        var lines = new Dictionary<string, long>();
        foreach (var file in files)
        {
            var service = Path.GetFileNameWithoutExtension(file);
            lines[service] = await Lines(file);
            var sent = await _door.Run("send", file, "--service", service, "--state", State, "--json");
            Assert.True(sent.Code == 0, sent.Error);
            Assert.Equal(lines[service], JsonElement.Parse(sent.Output).GetProperty("stored").GetInt64());

            // The count, asked at once, by each of the ways to ask.
            Assert.Equal(lines[service], await _door.Count(service));
            var counted = await _door.Run("sql", $"select count(*) as lines from logs where service = '{service}'", "--json");
            Assert.Equal(lines[service], Assert.Single(counted.Entries).GetProperty("lines").GetInt64());
            var found = await _door.Run("query", $"service:{service}", "--limit", "1000000", "--json");
            Assert.Equal(lines[service], found.Entries.Length);
            Assert.Equal(
                File.ReadAllText(file, Encoding.UTF8)
                    .Split('\n')
                    .SkipLast(1)
                    .Select(line => line.TrimEnd('\r'))
                    .Order(StringComparer.Ordinal),
                found.Entries.Select(record => record.GetProperty("body").GetString()!.TrimEnd('\r')).Order(StringComparer.Ordinal)
            );

            var again = await _door.Run("send", file, "--service", service, "--state", State);
            Assert.Equal(0, again.Code);
            Assert.Contains("nothing new", again.Output, StringComparison.Ordinal);
        }

        foreach (var (service, count) in lines)
        {
            Assert.Equal(count, await _door.Count(service));
        }

        await Balances(lines.Values.Sum(), [.. lines.Keys]);
    }

    [Fact]
    public async Task AConsoleThatIsKilledGoesOnAndEveryLineIsThereOnce()
    {
        const int Count = 150_000;
        var file = Path.Combine(_folder, "large.log");
        await File.WriteAllLinesAsync(
            file,
            Enumerable
                .Range(0, Count)
                .Select(line =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"2026-11-23 10:{line / 6000 % 60:00}:{line / 100 % 60:00} line {line:000000} of a file that is sent "
                            + $"while the console is killed"
                    )
                ),
            Cancel
        );
        string[] send = ["send", file, "--service", "large", "--state", State, "--json"];
        var kills = 0;
        for (var done = 0L; kills < 3; kills++)
        {
            await using var console = _door.Start(send);
            var before = done;
            await Wait.Until(
                () => (done = Done()) > before || console.Exit.IsCompleted,
                "something more of the file to be sent",
                () => console.Said
            );
            if (console.Exit.IsCompleted)
            {
                break;
            }
        }

        Assert.True(kills > 0, "It was over before it could be killed once.");
        var last = await _door.Run(send);
        Assert.True(last.Code == 0, last.Error);

        Assert.Equal(Count, await _door.Count("large"));
        Assert.Equal(Count, await _door.Number("select count(distinct body) from logs where service = 'large'"));
        Assert.Equal(Count, await Lines(file));
        TestContext.Current.SendDiagnosticMessage(
            $"Killed {kills} times; the ledger counts {await Balances(Count, "large")} repeated lines."
        );
    }

    [Fact]
    public async Task AFileThatIsFollowedGrowsIsRenamedAndIsCutAndNoLineIsLostOrTwice()
    {
        var file = Path.Combine(_folder, "app.log");
        // Empty when it is met, as after a rotation in the night.
        await File.WriteAllTextAsync(file, "", Cancel);
        await using var console = _door.Start("send", file, "--service", _service, "--follow", "--state", State);
        var sent = new List<string>();

        await Append(file, sent, "started", "a 1");
        await Append(file, sent, "a 2");
        await File.AppendAllTextAsync(file, "a 3, in ", Cancel);
        await Append(file, sent, "two steps");
        sent[^1] = "a 3, in two steps";

        // Renamed, and the next one begins with the same lines and is longer at once.
        await Stored(sent, console);
        File.Move(file, file + ".1");
        await File.AppendAllTextAsync(file + ".1", "a 4, late\n", Cancel);
        sent.Add("a 4, late");
        await Append(file, sent, [.. sent[..4], "b 1", "b 2"]);
        await Stored(sent, console);

        // Copied and cut, and written anew from its start.
        await using (var cut = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            cut.SetLength(0);
        }

        await Append(file, sent, "started");
        await Stored(sent, console);

        // Gone for a moment, and then the very same lines: another file, whatever it says.
        File.Delete(file);
        await Append(file, sent, "started");
        await Stored(sent, console);

        console.Interrupt();
        Assert.Equal(0, await console.Ended());
        var again = await _door.Run("send", file, "--service", _service, "--state", State);
        Assert.Contains("nothing new", again.Output, StringComparison.Ordinal);
        await Append(file, sent, "c 1");
        Assert.Contains(
            "1 record stored",
            (await _door.Run("send", file, "--service", _service, "--state", State)).Output,
            StringComparison.Ordinal
        );
        await Stored(sent, console);
        await Balances(sent.Count, _service);
    }

    /// <summary>Shorter than what tells long files apart, and written anew before anybody can look: as "copytruncate" does it.</summary>
    [Fact]
    public async Task AShortFileThatIsCutAndWrittenAnewAtOnceIsSentFromItsStartAndItsCopyToItsEnd()
    {
        var file = Path.Combine(_folder, "app.log");
        var sent = new List<string>();
        await Append(file, sent, "a 1");
        await using var console = _door.Start("send", file, "--service", _service, "--follow", "--state", State);
        await Stored(sent, console);

        foreach (
            var (round, now) in (
                (string[][])
                    [
                        ["b 1", "b 2, which is longer"],
                        ["c 1, as long as it was"],
                        ["d 1"],
                        ["e 1", "e 2", "e 3"],
                    ]
            ).Index()
        )
        {
            // The tail is in the copy alone.
            await File.WriteAllTextAsync($"{file}-2026113{round}", await File.ReadAllTextAsync(file, Cancel) + $"late {round}\n", Cancel);
            sent.Add($"late {round}");
            await File.WriteAllTextAsync(file, string.Concat(now.Select(line => line + "\n")), Cancel);
            sent.AddRange(now);
            await Stored(sent, console);
        }

        await Balances(sent.Count, _service);
    }

    [Fact]
    public async Task AFileThatIsRotatedTwiceAndPackedWhileNobodySendsIsSentToTheLastByte()
    {
        var file = Path.Combine(_folder, "app.log");
        var sent = new List<string>();
        await Append(file, sent, "started", "a 1");
        string[] send = ["send", file, "--service", _service, "--state", State];
        Assert.Equal(0, (await _door.Run(send)).Code);

        await Append(file, sent, "a 2");
        await Output("gzip", file);
        File.Move(file + ".gz", file + ".2.gz");
        await Append(file, sent, "started", "b 1");
        File.Move(file, file + ".1");
        await Append(file, sent, "started", "c 1");

        var again = await _door.Run(send);
        Assert.Equal(
            (0, "app.log.2.gz: 1 record stored from byte 12 on.\napp.log.1: 2 records stored.\napp.log: 2 records stored.\n"),
            (again.Code, again.Output)
        );
        await using var console = _door.Start([.. send, "--follow"]);
        await Append(file, sent, "c 2");
        await Stored(sent, console);
        await Balances(sent.Count, _service);
    }

    [Fact]
    public async Task WideCharactersAreFollowedAndALineIsOneWhenItIsFinished()
    {
        var file = Path.Combine(_folder, "app.log");
        await File.WriteAllTextAsync(file, "eins\nzwei, größer", Encoding.Unicode, Cancel);
        await using var console = _door.Start("send", file, "--service", _service, "--follow", "--state", State);
        await Stored(["eins"], console);
        await File.AppendAllTextAsync(file, " 🙂\n", new UnicodeEncoding(bigEndian: false, byteOrderMark: false), Cancel);
        await Stored(["eins", "zwei, größer 🙂"], console);
    }

    [Fact]
    public async Task StandardInputIsReadToItsEnd()
    {
        for (var time = 1; time <= 2; time++)
        {
            await using var console = await _door.RunWith("one\ntwo\n\ntwo, without an end", "send", "-", "--service", "pipe", "--json");
            Assert.True(await console.Exit == 0, console.Said);
            Assert.Equal(4, console.Last.GetProperty("stored").GetInt64());
            // Nobody can tell one pipe from another: what comes again is new.
            Assert.Equal(4 * time, await _door.Count("pipe"));
        }

        await using var json = await _door.RunWith(
            "{\"body\":\"x\",\"severity\":\"warn\"}\nnot json\n",
            "send",
            "-",
            "--service",
            "pipe",
            "--format",
            "ndjson"
        );
        Assert.Equal(1, await json.Exit);
        Assert.Contains(json.Errors, line => line.Contains("line 2", StringComparison.Ordinal));
        Assert.Equal(9, await _door.Count("pipe"));
    }

    /// <summary>Logs of this machine that are not empty; where there is none, one is made of the list of what is installed.</summary>
    private async Task<IReadOnlyList<string>> RealFiles()
    {
        string[] known =
        [
            "/var/log/dpkg.log",
            "/var/log/alternatives.log",
            .. Directory.Exists("/var/log/apt") ? Directory.GetFiles("/var/log/apt", "*.log") : [],
        ];
        var files = known.Where(file => File.Exists(file) && new FileInfo(file).Length > 0 && CanRead(file)).ToList();
        if (files.Count == 0)
        {
            var made = Path.Combine(_folder, "installed.log");
            await File.WriteAllTextAsync(made, await Output("dpkg", "-l"), Cancel);
            files.Add(made);
        }

        return files;
    }

    private static bool CanRead(string file)
    {
        try
        {
            using var opened = File.OpenRead(file);
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static async Task<long> Lines(string file) =>
        long.Parse((await Output("wc", "-l", file)).Split(' ')[0], CultureInfo.InvariantCulture);

    private static async Task<string> Output(string program, params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    private static async Task Append(string file, List<string> sent, params string[] lines)
    {
        await File.AppendAllTextAsync(file, string.Concat(lines.Select(line => line + "\n")), Cancel);
        sent.AddRange(lines);
    }

    private async Task Stored(List<string> sent, ConsoleProcess console)
    {
        string[] stored = [];
        await Wait.Until(
            async () =>
                (
                    stored = [
                        .. (await _door.Find($"service:{_service}", "&limit=1000")).Select(record =>
                            record.GetProperty("body").GetString()!
                        ),
                    ]
                ).Length >= sent.Count,
            $"{sent.Count} lines to be stored",
            () => $"These are: {string.Join(" | ", stored)}. {console.Said}"
        );
        Assert.Equal(sent.Order(StringComparer.Ordinal), stored.Order(StringComparer.Ordinal));
    }

    /// <summary>How far the file was sent and acknowledged, as the console keeps it.</summary>
    private long Done()
    {
        var kept = Directory.Exists(State) ? Directory.GetFiles(State, "*.json").SingleOrDefault() : null;
        return kept is null ? 0 : JsonElement.Parse(File.ReadAllBytes(kept)).GetProperty("done").GetInt64();
    }

    /// <summary>
    /// So many were stored of these services by the ledger, and every line of it balances; the records of them that came again.
    /// </summary>
    private async Task<long> Balances(long stored, params string[] services)
    {
        var ledger = await _door.Run("ledger", "--json");
        Assert.True(ledger.Code == 0, ledger.Output);
        JsonElement[] counts = [.. ledger.Entries.Where(line => services.Contains(line.GetProperty("service").GetString()))];
        Assert.Equal(stored, counts.Sum(count => count.GetProperty("stored").GetInt64()));
        Assert.All(counts, count => Assert.True(count.GetProperty("balances").GetBoolean()));
        return counts.Sum(count => count.GetProperty("repeated").GetInt64());
    }
}
