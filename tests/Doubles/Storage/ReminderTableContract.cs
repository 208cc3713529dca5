using Grains.Storage;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Silo.Storage;
using Xunit;

namespace Doubles.Storage;

/// <summary>What the runtime expects of a table of reminders, and what this one promises beyond.</summary>
public abstract class ReminderTableContract : IAsyncLifetime
{
    private static readonly DateTime Start = new DateTime(2026, 5, 1, 12, 0, 0, DateTimeKind.Utc).AddTicks(7);

    private FlakyTableStore _store = null!;
    private TableReminderTable _table = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public virtual async ValueTask InitializeAsync()
    {
        _store = new FlakyTableStore(Open());
        _table = Reminders("test");
        await _table.StartAsync(Cancel);
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _table.StopAsync(Cancel);
    }

    protected abstract ITableStore Open();

    [Fact]
    public async Task UpsertsInParallelEachGetAnEtagOfTheirOwn()
    {
        var etags = await Task.WhenAll(
            Enumerable
                .Range(0, 5)
                .Select(async number =>
                {
                    var reminder = Reminder(Grain("parallel"), $"number {number}");
                    return await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => _table.UpsertRow(reminder, Cancel)));
                })
        );

        Assert.Equal(25, etags.SelectMany(each => each).Distinct().Count());
        var stored = (await _table.ReadRows(Grain("parallel"), Cancel)).Reminders;
        Assert.Equal(5, stored.Count);
        Assert.All(stored, reminder =>
            Assert.Contains(reminder.ETag, etags[int.Parse(reminder.ReminderName[^1..], System.Globalization.CultureInfo.InvariantCulture)])
        );
    }

    [Theory]
    [InlineData(@"foo/bar\#b_a_z?")]
    [InlineData("")]
    [InlineData("имя 名 🕰")]
    [InlineData("'; DROP TABLE x; --")]
    public async Task AnyTextIsAName(string name)
    {
        var reminder = Reminder(Grain(@"http://a.example/b?c#d\e"), name);
        var first = await _table.UpsertRow(reminder, Cancel);

        AssertSame(reminder, first, await _table.ReadRow(reminder.GrainId, name, Cancel));

        var second = await _table.UpsertRow(reminder, Cancel);
        Assert.NotEqual(first, second);
        Assert.False(await _table.RemoveRow(reminder.GrainId, name, first!, Cancel));
        Assert.False(await _table.RemoveRow(reminder.GrainId, name + "bla", second!, Cancel));
        Assert.False(await _table.RemoveRow(Grain("another"), name, second!, Cancel));
        AssertSame(reminder, second, await _table.ReadRow(reminder.GrainId, name, Cancel));
        Assert.True(await _table.RemoveRow(reminder.GrainId, name, second!, Cancel));
        Assert.False(await _table.RemoveRow(reminder.GrainId, name, second!, Cancel));
        Assert.Null(await _table.ReadRow(reminder.GrainId, name, Cancel));
    }

    [Fact]
    public async Task RangesOfAThousandRowsAreWhatTheHashesSay()
    {
        const int Rows = 1000;
        var random = new Random(20260501);
        var grains = Enumerable.Range(0, Rows).Select(_ => Grain(Guid.NewGuid().ToString("N"))).ToArray();
        foreach (var some in grains.Chunk(50))
        {
            await Task.WhenAll(some.Select(grain => _table.UpsertRow(Reminder(grain, "tick"), Cancel)));
        }

        var hashes = grains.Select(grain => grain.GetUniformHashCode()).ToArray();
        Assert.Equal(Rows, (await _table.ReadRows(0, uint.MaxValue, Cancel)).Reminders.Count + hashes.Count(hash => hash == 0));
        var bounds = Enumerable
            .Range(0, 30)
            .Select(_ => (Begin: Any(), End: Any()))
            .Concat(hashes.Take(5).Select(hash => (hash, hash + 1)))
            .Concat(hashes.Take(5).Select(hash => (hash - 1, hash)))
            .Concat([(0u, 0u), (7u, 7u), (0u, uint.MaxValue), (uint.MaxValue, 0u), (uint.MaxValue, uint.MaxValue), (hashes[0], hashes[0])]);
        foreach (var (begin, end) in bounds)
        {
            var expected = grains.Where(grain => IsIn(grain.GetUniformHashCode(), begin, end));
            var found = (await _table.ReadRows(begin, end, Cancel)).Reminders;
            Assert.Equal(expected.Order(), found.Select(reminder => reminder.GrainId).Order());
        }

        uint Any() => (uint)random.NextInt64(1L << 32);

        static bool IsIn(uint hash, uint begin, uint end) =>
            begin < end ? hash > begin && hash <= end : begin == end || hash > begin || hash <= end;
    }

    [Fact]
    public async Task AnEmptyTableHasNoReminders()
    {
        Assert.Empty((await _table.ReadRows(0, 0, Cancel)).Reminders);
        Assert.Empty((await _table.ReadRows(5, 4, Cancel)).Reminders);
        Assert.Empty((await _table.ReadRows(Grain("nobody"), Cancel)).Reminders);
        Assert.Null(await _table.ReadRow(Grain("nobody"), "never", Cancel));
        Assert.False(await _table.RemoveRow(Grain("nobody"), "never", "etag", Cancel));
    }

    [Fact]
    public async Task AGrainsRemindersAreItsOwn()
    {
        await _table.UpsertRow(Reminder(Grain("one"), "a"), Cancel);
        await _table.UpsertRow(Reminder(Grain("one"), "b"), Cancel);
        await _table.UpsertRow(Reminder(Grain("two"), "a"), Cancel);

        Assert.Equal(
            ["a", "b"],
            (await _table.ReadRows(Grain("one"), Cancel)).Reminders.Select(reminder => reminder.ReminderName).Order(StringComparer.Ordinal)
        );
        Assert.Equal(Grain("two"), Assert.Single((await _table.ReadRows(Grain("two"), Cancel)).Reminders).GrainId);
    }

    [Fact]
    public async Task AnUpsertReplacesWhatWasThere()
    {
        var reminder = Reminder(Grain("one"), "a");
        await _table.UpsertRow(reminder, Cancel);
        reminder.StartAt = Start.AddDays(400);
        reminder.Period = TimeSpan.FromDays(3) + TimeSpan.FromTicks(11);
        var etag = await _table.UpsertRow(reminder, Cancel);

        AssertSame(reminder, etag, Assert.Single((await _table.ReadRows(0, 0, Cancel)).Reminders));
    }

    [Fact]
    public async Task TheCallsWithoutATokenDoTheSame()
    {
        await _table.Init();
        var reminder = Reminder(Grain("old"), "way");
        var etag = await _table.UpsertRow(reminder);

        AssertSame(reminder, etag, await _table.ReadRow(reminder.GrainId, "way"));
        Assert.Single((await _table.ReadRows(reminder.GrainId)).Reminders);
        Assert.Single((await _table.ReadRows(0, 0)).Reminders);
        Assert.True(await _table.RemoveRow(reminder.GrainId, "way", etag!));
        await _table.UpsertRow(reminder);
        await _table.TestOnlyClearTable();
        Assert.Empty((await _table.ReadRows(0, 0)).Reminders);
    }

    [Fact]
    public async Task ClearingRemovesMoreThanACommitHolds()
    {
        for (var count = 0; count < StoreLimits.MaxCommitRows + 20; count++)
        {
            await _table.UpsertRow(Reminder(Grain($"grain {count}"), "tick"), Cancel);
        }

        await _table.TestOnlyClearTable(Cancel);

        Assert.Empty(await _store.Scan("cluster", "reminders.test", KeyRange.All, 10, Cancel));
    }

    [Fact]
    public async Task ServicesAreApart()
    {
        var other = Reminders("a service with a name that is no key / ?");
        await _table.UpsertRow(Reminder(Grain("one"), "a"), Cancel);
        Assert.Empty((await other.ReadRows(0, 0, Cancel)).Reminders);

        await other.UpsertRow(Reminder(Grain("one"), "b"), Cancel);
        await _table.TestOnlyClearTable(Cancel);
        Assert.Equal("b", Assert.Single((await other.ReadRows(0, 0, Cancel)).Reminders).ReminderName);
    }

    [Fact]
    public async Task AFailedReadIsAnExceptionAndNoEmptyTable()
    {
        await _table.UpsertRow(Reminder(Grain("one"), "a"), Cancel);
        foreach (
            var read in (Func<Task>[])
                [
                    () => _table.ReadRows(0, 0, Cancel),
                    () => _table.ReadRows(2, 1, Cancel),
                    () => _table.ReadRows(Grain("one"), Cancel),
                    () => _table.ReadRow(Grain("one"), "a", Cancel),
                ]
        )
        {
            _store.FailNextReads(1);
            await Assert.ThrowsAsync<IOException>(read);
        }

        Assert.Single((await _table.ReadRows(0, 0, Cancel)).Reminders);
    }

    [Fact]
    public async Task AnOutcomeThatIsNotKnownIsAnExceptionAndNoAnswer()
    {
        var reminder = Reminder(Grain("one"), "a");
        _store.FailNextCommits(1, CommitFailure.UnknownApplied);
        await Assert.ThrowsAsync<OutcomeUnknownException>(() => _table.UpsertRow(reminder, Cancel));

        var stored = await _table.ReadRow(reminder.GrainId, "a", Cancel);
        _store.FailNextCommits(1, CommitFailure.UnknownNotApplied);
        await Assert.ThrowsAsync<OutcomeUnknownException>(() => _table.RemoveRow(reminder.GrainId, "a", stored!.ETag!, Cancel));

        Assert.True(await _table.RemoveRow(reminder.GrainId, "a", stored!.ETag!, Cancel));
    }

    [Fact]
    public async Task AChangeBetweenTheReadAndTheRemovalIsAnotherEtag()
    {
        var etag = await _table.UpsertRow(Reminder(Grain("one"), "a"), Cancel);
        _store.FailNextCommits(1, CommitFailure.Conflict);

        Assert.False(await _table.RemoveRow(Grain("one"), "a", etag!, Cancel));
    }

    [Fact]
    public async Task ARowThatIsAboutAnotherReminderIsNotTakenForThisOne()
    {
        await _table.UpsertRow(Reminder(Grain("one"), "a"), Cancel);
        var row = Assert.Single(await _store.Scan("cluster", "reminders.test", KeyRange.All, 10, Cancel));
        var foreign = """{"grain":"test/one","name":"b","startAt":"2026-05-01T12:00:00Z","period":"00:01:00"}"""u8.ToArray();
        await _store.Commit("cluster", "reminders.test", [RowChange.Put(row.Key, foreign)], Cancel);

        await Assert.ThrowsAsync<InvalidDataException>(() => _table.ReadRow(Grain("one"), "a", Cancel));
    }

    private static void AssertSame(ReminderEntry expected, string? etag, ReminderEntry? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(
            (expected.GrainId, expected.ReminderName, expected.StartAt, expected.StartAt.Kind, expected.Period, etag),
            (actual.GrainId, actual.ReminderName, actual.StartAt, actual.StartAt.Kind, actual.Period, actual.ETag)
        );
    }

    private static GrainId Grain(string key) => GrainId.Create("test", key);

    private static ReminderEntry Reminder(GrainId grain, string name) =>
        new()
        {
            GrainId = grain,
            ReminderName = name,
            StartAt = Start,
            Period = TimeSpan.FromMinutes(1),
        };

    private TableReminderTable Reminders(string service) => new(_store, Options.Create(new ClusterOptions { ServiceId = service }));
}
