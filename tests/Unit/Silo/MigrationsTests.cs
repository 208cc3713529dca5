using System.Net;
using System.Text;
using Doubles;
using Doubles.Storage;
using Grains.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Silo.StartUp;
using Silo.Storage;
using Silo.Storage.Migration;
using Unit.Storage;
using Xunit;
using OrleansCluster = Orleans.Configuration.ClusterOptions;

namespace Unit.Silo;

/// <summary>
/// The frame of migrations, with steps that raise a number in a row of a table of their own: version n of the data has the number n.
/// </summary>
public sealed class MigrationsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FlakyTableStore _store = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 5, 1, 12, 30, 15, TimeSpan.Zero));
    private readonly TableMembershipTable _members;
    private readonly List<int> _ran = [];

    public MigrationsTests()
    {
        _members = new(_store, Options.Create(new OrleansCluster { ClusterId = "dev" }));
        Directory.CreateDirectory(Data);
        File.WriteAllText(Path.Combine(Data, "something"), "as it was");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Data => _folder["data"];

    private IEnumerable<string> Copies =>
        Directory
            .EnumerateDirectories(_folder.Path)
            .Select(path => Path.GetFileName(path)!)
            .Where(name => name != "data")
            .Order(StringComparer.Ordinal);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task NewDataAndDataOfThisVersionAndNewerDataAreLeftAlone()
    {
        await Migrate(3, new Step(1), new Step(2));
        Assert.Null(await Stored("version"));
        foreach (var version in new[] { 3, 4 })
        {
            await HasVersion(version);
            await Migrate(3, new Step(1), new Step(2));
            Assert.Equal($$"""{"version":{{version}}}""", await Stored("version"));
        }

        Assert.Empty(_ran);
        Assert.Empty(Copies);
    }

    [Fact]
    public async Task OlderDataIsSetAsideAndThenChangedStepByStep()
    {
        await HasVersion(1);

        await Migrate(3, Counted(1), Counted(2));

        Assert.Equal([1, 2], _ran);
        Assert.Equal("3", await Number());
        Assert.Equal("""{"version":3}""", await Stored("version"));
        Assert.Null(await Stored("migration"));
        Assert.Equal(["data.v1.bak-20260501-123015"], Copies);
        Assert.Equal("as it was", await File.ReadAllTextAsync(Path.Combine(_folder["data.v1.bak-20260501-123015"], "something"), Cancel));
    }

    [Fact]
    public async Task AStepThatFailsIsSaidWithTheCopyAndDoneAgainAtTheNextStart()
    {
        await HasVersion(1);

        var refused = await Assert.ThrowsAsync<StartUpException>(() =>
            Migrate(3, Counted(1), new Step(2, (_, _, _) => throw new IOException("The disk is full.")))
        );

        Assert.Equal(
            $"The data in {Data} could not be migrated from version 2 to 3 (step 2): The disk is full. Start the silo again to try again. "
                + $"The data as it was is in {_folder["data.v1.bak-20260501-123015"]}: an older silo starts with that.",
            refused.Message
        );
        Assert.Equal("""{"version":3}""", await Stored("version"));

        _clock.Advance(Migrations.Patience);
        await Migrate(3, Counted(1), Counted(2));
        Assert.Equal([1, 2], _ran);
        Assert.Null(await Stored("migration"));
        Assert.Equal(["data.v1.bak-20260501-123015"], Copies);
    }

    [Fact]
    public async Task AMigrationThatWasKilledGoesOnWithTheStepThatWasCutOff()
    {
        // Killed after each of its commits in turn: what was written before stays, and nothing comes after.
        for (var commits = 0; commits <= 5; commits++)
        {
            _ran.Clear();
            await Reset();
            var left = commits;
            _store.FailCommitsWhen((_, _, _) => left-- > 0 ? null : CommitFailure.Throw);
            var killed = await Record.ExceptionAsync(() => Migrate(3, Counted(1), Counted(2)));
            _store.FailCommitsWhen(static (_, _, _) => null);

            _clock.Advance(Migrations.Patience);
            await Migrate(3, Counted(1), Counted(2));

            Assert.Equal(commits < 5, killed is not null);
            Assert.Equal("3", await Number());
            Assert.Equal("""{"version":3}""", await Stored("version"));
            Assert.Null(await Stored("migration"));
            Assert.InRange(_ran.Count, 2, 3);
        }
    }

    [Fact]
    public async Task AnOlderSiloDoesNotStartOnWhatIsHalfChanged()
    {
        await HasVersion(1);
        await Assert.ThrowsAsync<StartUpException>(() => Migrate(2, new Step(1, (_, _, _) => throw new IOException("Killed."))));

        var format = new DataFormat(
            _store,
            Options.Create(new global::Silo.Endpoints.ClusterOptions()),
            Options.Create(new StorageOptions { Path = Data })
        );
        var refused = await Assert.ThrowsAsync<StartUpException>(() => format.Run(Cancel));
        Assert.Contains("is of version 2, written by a newer silo", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhileOneSiloMigratesAnotherDoesNotStart()
    {
        await HasVersion(1);
        var (began, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var first = Migrate(2, new Step(1, async (_, _, _) =>
            {
                began.SetResult();
                await go.Task;
            }));
        await began.Task;

        var refused = await Assert.ThrowsAsync<StartUpException>(() => Migrate(2, Counted(1)));
        Assert.StartsWith(
            $"Another silo migrates the data in {Data} from version 1 to 2; it said so at 2026-05-01 12:30:15Z. Start this one "
                + $"when that one is ready.",
            refused.Message,
            StringComparison.Ordinal
        );

        go.SetResult();
        await first;
        Assert.Empty(_ran);
    }

    [Fact]
    public async Task AStepThatTakesLongSaysThatItLives()
    {
        await HasVersion(1);
        var (began, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var migrating = Migrate(2, new Step(1, async (_, _, _) =>
            {
                began.SetResult();
                await go.Task;
            }));
        await began.Task;
        var signed = new TaskCompletionSource<string>();
        _store.FailCommitsWhen(
            (_, _, changes) =>
            {
                signed.TrySetResult(Encoding.UTF8.GetString(changes[0].Payload.Span));
                return null;
            }
        );
        _clock.Advance(Migrations.SignOfLife);

        Assert.EndsWith(
            """
            "at":"2026-05-01T12:30:20+00:00"}
            """,
            await signed.Task,
            StringComparison.Ordinal
        );
        go.SetResult();
        await migrating;
        Assert.Null(await Stored("migration"));
    }

    [Fact]
    public async Task OneThatHungAndWasTakenOverEnds()
    {
        await HasVersion(1);
        var (began, ended) = (new TaskCompletionSource(), new TaskCompletionSource());
        var hung = Migrate(2, new Step(1, async (_, _, cancel) =>
            {
                began.SetResult();
                try
                {
                    await new Gate().Pass(cancel);
                }
                finally
                {
                    ended.SetResult();
                }
            }));
        await began.Task;
        await _store.Commit("cluster", "format", [RowChange.Delete("migration")], Cancel);
        _clock.Advance(Migrations.SignOfLife);

        var refused = await Assert.ThrowsAsync<StartUpException>(() => hung);
        Assert.StartsWith("Another silo migrates the data", refused.Message, StringComparison.Ordinal);
        Assert.True(ended.Task.IsCompleted);
    }

    [Fact]
    public async Task WhileASiloIsAMemberNothingIsChanged()
    {
        await HasVersion(1);
        await _members.InitializeMembershipTable(true);
        var elsewhere = new MembershipEntry
        {
            SiloAddress = SiloAddress.New(IPAddress.Parse("192.0.2.7"), 11111, 1),
            SiloName = "silo-7",
            HostName = "elsewhere",
            Status = SiloStatus.Active,
            StartTime = _clock.GetUtcNow().UtcDateTime,
            IAmAliveTime = _clock.GetUtcNow().UtcDateTime,
        };
        Assert.True(await _members.InsertRow(elsewhere, (await _members.ReadAll()).Version.Next()));

        var refused = await Assert.ThrowsAsync<StartUpException>(() => Migrate(2, Counted(1)));
        Assert.Equal(
            $"The data in {Data} is of an older version and is migrated before a silo works on it; but silo-7 at "
                + $"192.0.2.7:11111 is a member of the cluster. "
                + "Stop every silo, then start this one. One that was killed on another machine is forgotten 2 minutes after "
                + "its last sign of life.",
            refused.Message
        );
        Assert.Empty(Copies);

        _clock.Advance(TimeSpan.FromMinutes(2));
        await Migrate(2, Counted(1));
        Assert.Equal([1], _ran);
    }

    [Fact]
    public async Task AVersionWithoutAStepIsNamed()
    {
        await HasVersion(1);

        var refused = await Assert.ThrowsAsync<StartUpException>(() => Migrate(3, Counted(1)));

        Assert.Equal(
            $"The data in {Data} is of version 1, and this silo, 0.1.0, knows no way from version 2 to 3. Start an older silo.",
            refused.Message
        );
        Assert.Empty(_ran);
        Assert.Equal("""{"version":1}""", await Stored("version"));
    }

    [Fact]
    public async Task WhereNoCopyCanBeSetAsideTheOperatorMakesOneAndSaysSo()
    {
        await HasVersion(1);
        Directory.Delete(Data, recursive: true);

        var refused = await Assert.ThrowsAsync<StartUpException>(() => Migrate(2, Counted(1)));
        Assert.StartsWith(
            $"The data in {Data} is of version 1, and no copy of it can be set aside before it is migrated to version 2: ",
            refused.Message,
            StringComparison.Ordinal
        );
        Assert.EndsWith(
            "copy the folder yourself, then start the silo with --Storage:CopiedVersion 1.",
            refused.Message,
            StringComparison.Ordinal
        );
        Assert.Equal("""{"version":1}""", await Stored("version"));

        await Make(2, new() { Path = Data, CopiedVersion = 1 }, Counted(1)).Run(Cancel);
        Assert.Equal([1], _ran);
        Assert.Empty(Copies);
    }

    [Fact]
    public async Task OfDataThatIsNotOnThisMachineTheOperatorMakesTheCopy()
    {
        await HasVersion(1);
        var storage = new StorageOptions
        {
            Kind = StorageKind.Azure,
            AccountName = "things",
            Path = Data,
        };

        var refused = await Assert.ThrowsAsync<StartUpException>(() => Make(2, storage, Counted(1)).Run(Cancel));
        Assert.Equal(
            $"The data in {storage.Place} is of version 1, and this silo, 0.1.0, would migrate it to version 2. Of data that is "
                + $"not on this machine it makes no copy: make one (tables and objects), "
                + "then start one silo with --Storage:CopiedVersion 1.",
            refused.Message
        );
        Assert.Empty(_ran);

        storage.CopiedVersion = 1;
        await Make(2, storage, Counted(1)).Run(Cancel);
        Assert.Equal([1], _ran);
        Assert.Empty(Copies);
    }

    [Fact]
    public async Task ACopyHoldsWhatIsInTheLogOfADatabaseThatIsOpen()
    {
        await using var store = SqliteTableStore.Open(Path.Combine(Data, "tables"));
        await store.Commit("things", "p", [RowChange.Put("a", "one"u8.ToArray())], Cancel);
        Directory.CreateDirectory(_folder["data.v1.bak-20260430-000000.part"]);

        var copy = DataCopy.SetAside(Data + Path.DirectorySeparatorChar, 1, _clock.GetUtcNow(), Cancel);
        await store.Commit("things", "p", [RowChange.Put("a", "two"u8.ToArray())], Cancel);

        Assert.Equal(["data.v1.bak-20260501-123015"], Copies);
        Assert.Equal(["things.db"], Directory.EnumerateFiles(Path.Combine(copy, "tables")).Select(Path.GetFileName));
        await using var copied = SqliteTableStore.Open(Path.Combine(copy, "tables"));
        Assert.Equal("one", Text(await copied.Get("things", "p", "a", Cancel)));
        Assert.Equal("as it was", await File.ReadAllTextAsync(Path.Combine(copy, "something"), Cancel));
    }

    private async Task Reset()
    {
        await HasVersion(1);
        await _members.InitializeMembershipTable(true);
        await _store.Commit("cluster", "format", [RowChange.Delete("migration")], Cancel);
        _clock.Advance(TimeSpan.FromSeconds(1)); // The copy's name.
    }

    private async Task HasVersion(int version)
    {
        await _store.Commit(
            "cluster",
            "format",
            [RowChange.Put("version", Encoding.UTF8.GetBytes($$"""{"version":{{version}}}"""))],
            Cancel
        );
        await _store.Commit("things", "p", [RowChange.Put("number", Encoding.UTF8.GetBytes($"{version}"))], Cancel);
    }

    private async Task<string?> Stored(string key) => Text(await _store.Get("cluster", "format", key, Cancel));

    private async Task<string?> Number() => Text(await _store.Get("things", "p", "number", Cancel));

    private static string? Text(TableRow? row) => row is null ? null : Encoding.UTF8.GetString(row.Payload.Span);

    /// <summary>Finds the number that its version has, or the next one if it ran before.</summary>
    private Step Counted(int from) => new(from, async (tables, step, cancel) =>
        {
            _ran.Add(step);
            var number = int.Parse(
                Text(await tables.Get("things", "p", "number", cancel))!,
                System.Globalization.CultureInfo.InvariantCulture
            );
            Assert.InRange(number, step, step + 1);
            var put = RowChange.Put("number", Encoding.UTF8.GetBytes($"{step + 1}"));
            Assert.Equal(CommitOutcome.Committed, (await tables.Commit("things", "p", [put], cancel)).Outcome);
        });

    private Task Migrate(int target, params Step[] steps) => Make(target, new() { Path = Data }, steps).Run(Cancel);

    private Migrations Make(int target, StorageOptions storage, params Step[] steps) =>
        new(_store, new BlobStoreInMemory(), _members, steps, Options.Create(storage), _clock, NullLogger<Migrations>.Instance, target);

    private sealed class Step(int from, Func<ITableStore, int, CancellationToken, Task>? run = null) : IMigrationStep
    {
        public int From => from;

        public string What => $"step {from}";

        public Task Run(ITableStore tables, IBlobStore blobs, CancellationToken cancel) =>
            run?.Invoke(tables, from, cancel) ?? Task.CompletedTask;
    }
}
