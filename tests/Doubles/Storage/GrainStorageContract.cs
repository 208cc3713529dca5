using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;
using Silo.Storage;
using Xunit;

namespace Doubles.Storage;

[GenerateSerializer]
public sealed record StateOfTest
{
    [Id(0)]
    public string? Text { get; init; }

    [Id(1)]
    public int Number { get; init; }

    [Id(2)]
    public long Large { get; init; }
}

[GenerateSerializer]
public sealed class StateOfAnotherKind
{
    [Id(0)]
    public List<string> Items { get; set; } = [];
}

/// <summary>What the runtime expects of a grain storage, and what this one promises beyond.</summary>
public abstract class GrainStorageContract : IAsyncLifetime
{
    private const string Name = "state";

    private readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();
    private FlakyTableStore _store = null!;
    private TableGrainStorage _storage = null!;

    public virtual ValueTask InitializeAsync()
    {
        _store = new FlakyTableStore(Open());
        _storage = Storage();
        return ValueTask.CompletedTask;
    }

    public virtual async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected abstract ITableStore Open();

    [Fact]
    public async Task AStateThatWasNeverWrittenReadsAsAFreshOne()
    {
        var state = New<StateOfTest>();
        state.State = new() { Text = "left over", Number = 7 };
        state.ETag = "left over";
        state.RecordExists = true;

        await _storage.ReadStateAsync(Name, Grain("new"), state);

        AssertFresh(state);
    }

    [Fact]
    public async Task AStateIsReadBackAsItWasWritten()
    {
        var written = await Write(
            Grain("one"),
            new()
            {
                Text = "text",
                Number = 1,
                Large = long.MinValue,
            }
        );

        var read = await Read(Grain("one"));

        Assert.Equal(
            new StateOfTest
            {
                Text = "text",
                Number = 1,
                Large = long.MinValue,
            },
            read.State
        );
        Assert.Equal(written.ETag, read.ETag);
        Assert.True(written.RecordExists);
        Assert.True(read.RecordExists);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("Привет, мир")]
    [InlineData("日本語のキー")]
    [InlineData("http://a.example/b?c=d#e\\f")]
    [InlineData("a/b+c")]
    [InlineData("' OR 1=1 --")]
    public async Task AnyTextIsAKey(string key)
    {
        var written = await Write(Grain(key), new() { Text = key });
        var read = await Read(Grain(key));

        Assert.Equal(key, read.State!.Text);
        Assert.Equal(written.ETag, read.ETag);
    }

    [Fact]
    public async Task CyrillicTextIsKept()
    {
        await Write(Grain("cyrillic"), new() { Text = "Привет, мир" });

        Assert.Equal("Привет, мир", (await Read(Grain("cyrillic"))).State!.Text);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public async Task ANumberIsAKey(long key)
    {
        var grain = GrainId.Create(GrainType.Create("counter"), GrainIdKeyExtensions.CreateIntegerKey(key));
        await Write(grain, new() { Large = key });

        Assert.Equal(key, (await Read(grain)).State!.Large);
        Assert.False((await Read(Grain(grain.Key.ToString()!))).RecordExists);
    }

    [Fact]
    public async Task AGuidIsAKey()
    {
        var grain = GrainId.Create(
            GrainType.Create("counter"),
            GrainIdKeyExtensions.CreateGuidKey(Guid.Parse("7f1b3c9e-0000-4000-8000-00000000002a"), "with more")
        );
        await Write(grain, new() { Number = 42 });

        Assert.Equal(42, (await Read(grain)).State!.Number);
    }

    [Fact]
    public async Task KeysThatAreCleanedAlikeElsewhereHaveStatesOfTheirOwn()
    {
        string[] keys = ["a/b", "a?b", "a#b", "a\\b", "a_b", "A/b", "a/b/"];
        foreach (var key in keys)
        {
            await Write(Grain(key), new() { Text = key });
        }

        foreach (var key in keys)
        {
            Assert.Equal(key, (await Read(Grain(key))).State!.Text);
        }
    }

    [Fact]
    public async Task AKeyOfManyThousandCharactersIsAKey()
    {
        var grain = Grain("http://a.example/" + new string('x', 20_000));
        await Write(grain, new() { Number = 1 });

        Assert.Equal(1, (await Read(grain)).State!.Number);
    }

    [Fact]
    public async Task TheStateNameAndTheGrainDoNotRunTogether()
    {
        var first = New<StateOfTest>();
        first.State = new() { Text = "first" };
        await _storage.WriteStateAsync("ab", GrainId.Create("c", "d"), first);

        foreach (
            var (name, grain) in new[]
            {
                ("a", GrainId.Create("bc", "d")),
                ("abc", GrainId.Create("c", "d")),
                ("ab", GrainId.Create("cd", "d")),
                ("ab", GrainId.Create("c", "dd")),
            }
        )
        {
            var other = New<StateOfTest>();
            await _storage.ReadStateAsync(name, grain, other);
            AssertFresh(other);
        }
    }

    [Fact]
    public async Task StatesOfAGrainAreIndependent()
    {
        var grain = Grain("two states");
        var one = New<StateOfTest>();
        one.State = new() { Text = "one" };
        var other = New<StateOfAnotherKind>();
        other.State = new() { Items = ["a", "b"] };
        await _storage.WriteStateAsync("one", grain, one);
        await _storage.WriteStateAsync("other", grain, other);

        await _storage.ClearStateAsync("one", grain, one);

        var read = New<StateOfAnotherKind>();
        await _storage.ReadStateAsync("other", grain, read);
        Assert.Equal(["a", "b"], read.State!.Items);
        Assert.Equal(other.ETag, read.ETag);
    }

    [Fact]
    public async Task EachWriteGivesAnotherEtagAlsoForEqualValues()
    {
        var state = await Write(Grain("etags"), new() { Text = "same" });
        var seen = new HashSet<string?> { null, state.ETag };
        for (var write = 0; write < 5; write++)
        {
            await _storage.WriteStateAsync(Name, Grain("etags"), state);
            Assert.True(seen.Add(state.ETag));
        }
    }

    [Fact]
    public async Task AWriteWithoutEtagOverAStoredStateIsInconsistent()
    {
        var written = await Write(Grain("twice"), new() { Text = "first" });

        await Assert.ThrowsAsync<InconsistentStateException>(() => Write(Grain("twice"), new() { Text = "second" }));

        await AssertStored("first", written.ETag, Grain("twice"));
    }

    [Fact]
    public async Task AWriteWithAnOlderEtagIsInconsistentAndNamesBoth()
    {
        var state = await Write(Grain("stale"), new() { Text = "first" });
        var old = state.ETag;
        state.State = new() { Text = "second" };
        await _storage.WriteStateAsync(Name, Grain("stale"), state);

        var late = New<StateOfTest>();
        late.State = new() { Text = "late" };
        late.ETag = old;
        var error = await Assert.ThrowsAsync<InconsistentStateException>(() => _storage.WriteStateAsync(Name, Grain("stale"), late));

        Assert.Equal(state.ETag, error.StoredEtag);
        Assert.Equal(old, error.CurrentEtag);
        Assert.Equal(old, late.ETag);
        await AssertStored("second", state.ETag, Grain("stale"));
    }

    [Fact]
    public async Task AWriteWithAnEtagOfNowhereIsInconsistent()
    {
        var state = New<StateOfTest>();
        state.ETag = "nowhere";

        await Assert.ThrowsAsync<InconsistentStateException>(() => _storage.WriteStateAsync(Name, Grain("never"), state));

        Assert.False((await Read(Grain("never"))).RecordExists);
    }

    [Fact]
    public async Task AClearedStateIsFreshAndIsGone()
    {
        var state = await Write(Grain("cleared"), new() { Text = "first" });
        var etag = state.ETag;

        await _storage.ClearStateAsync(Name, Grain("cleared"), state);

        AssertFresh(state);
        Assert.NotEqual(etag, state.ETag);
        AssertFresh(await Read(Grain("cleared")));
    }

    [Fact]
    public async Task AStateCanBeClearedBeforeItIsWrittenAndTwice()
    {
        var state = New<StateOfTest>();
        state.State = new() { Text = "left over" };
        state.RecordExists = true;

        await _storage.ClearStateAsync(Name, Grain("empty"), state);
        AssertFresh(state);
        await _storage.ClearStateAsync(Name, Grain("empty"), state);
        AssertFresh(state);
    }

    [Fact]
    public async Task AClearedStateCanBeWrittenAgain()
    {
        var state = await Write(Grain("again"), new() { Text = "first" });
        var first = state.ETag;
        await _storage.ClearStateAsync(Name, Grain("again"), state);

        state.State = new() { Text = "second" };
        await _storage.WriteStateAsync(Name, Grain("again"), state);

        Assert.NotEqual(first, state.ETag);
        await AssertStored("second", state.ETag, Grain("again"));
    }

    [Fact]
    public async Task AClearWithAnOlderEtagOrNoneIsInconsistent()
    {
        var state = await Write(Grain("kept"), new() { Text = "first" });
        var old = state.ETag;
        await _storage.WriteStateAsync(Name, Grain("kept"), state);

        foreach (var etag in new[] { old, null, "nowhere" })
        {
            var late = New<StateOfTest>();
            late.ETag = etag;
            await Assert.ThrowsAsync<InconsistentStateException>(() => _storage.ClearStateAsync(Name, Grain("kept"), late));
        }

        await AssertStored("first", state.ETag, Grain("kept"));
    }

    [Fact]
    public async Task AFreshStateIsAnInstanceOfItsOwn()
    {
        var one = New<StateOfAnotherKind>();
        var other = New<StateOfAnotherKind>();
        await _storage.ReadStateAsync(Name, Grain("a"), one);
        await _storage.ReadStateAsync(Name, Grain("b"), other);

        Assert.NotNull(one.State);
        Assert.NotSame(one.State, other.State);
        await _storage.ClearStateAsync(Name, Grain("a"), one);
        Assert.NotNull(one.State);
    }

    [Fact]
    public async Task ManyStatesAreWrittenAndReadAtOnce()
    {
        await Task.WhenAll(
            Enumerable
                .Range(0, 100)
                .Select(async n =>
                {
                    var grain = Grain($"parallel-{n}");
                    var state = New<StateOfTest>();
                    for (var write = 0; write < 10; write++)
                    {
                        var before = state.ETag;
                        state.State = new() { Text = $"{n}", Number = write };
                        await _storage.WriteStateAsync(Name, grain, state);
                        Assert.NotEqual(before, state.ETag);
                        var read = await Read(grain);
                        Assert.Equal(state.State, read.State);
                        Assert.Equal(state.ETag, read.ETag);
                    }
                })
        );
    }

    [Fact]
    public async Task OfManyWritesWithOneEtagOneSucceeds()
    {
        var start = await Write(Grain("race"), new() { Number = -1 });

        var outcomes = await Task.WhenAll(
            Enumerable
                .Range(0, 20)
                .Select(async n =>
                {
                    var state = New<StateOfTest>();
                    state.State = new() { Number = n };
                    state.ETag = start.ETag;
                    try
                    {
                        await _storage.WriteStateAsync(Name, Grain("race"), state);
                        return n;
                    }
                    catch (InconsistentStateException)
                    {
                        return -1;
                    }
                })
        );

        var winner = Assert.Single(outcomes, n => n >= 0);
        Assert.Equal(winner, (await Read(Grain("race"))).State!.Number);
    }

    [Theory]
    [InlineData(CommitFailure.UnknownApplied, "second")]
    [InlineData(CommitFailure.UnknownNotApplied, "first")]
    public async Task AnOutcomeThatIsNotKnownIsSaidToBeSo(CommitFailure failure, string stored)
    {
        var state = await Write(Grain("unknown"), new() { Text = "first" });
        var etag = state.ETag;
        state.State = new() { Text = "second" };
        _store.FailNextCommits(1, failure);

        var error = await Assert.ThrowsAsync<OutcomeUnknownException>(() => _storage.WriteStateAsync(Name, Grain("unknown"), state));

        Assert.IsType<TimeoutException>(error.InnerException);
        Assert.Equal(etag, state.ETag);
        Assert.Equal(stored, (await Read(Grain("unknown"))).State!.Text);
    }

    [Fact]
    public async Task AFailedReadIsNoFreshState()
    {
        await Write(Grain("there"), new() { Text = "first" });
        _store.FailNextReads(1);

        await Assert.ThrowsAsync<IOException>(() => Read(Grain("there")));
    }

    [Fact]
    public async Task AStateAboveTheLimitIsRefusedAndTheStoredOneStays()
    {
        var state = await Write(Grain("large"), new() { Text = "small" });
        var etag = state.ETag;
        state.State = new() { Text = new string('x', StoreLimits.MaxPayloadBytes) };

        await Assert.ThrowsAnyAsync<ArgumentException>(() => _storage.WriteStateAsync(Name, Grain("large"), state));

        await AssertStored("small", etag, Grain("large"));
    }

    [Fact]
    public async Task ARowOfAnotherGrainInThisOnesPlaceIsRefused()
    {
        await Write(Grain("mine"), new() { Text = "mine" });
        await Write(Grain("other"), new() { Text = "other" });
        var (partition, mine) = await Find("mine");
        var (_, other) = await Find("other");
        await _store.Commit("grains", partition, [RowChange.Put(mine.Key, other.Payload)], TestContext.Current.CancellationToken);

        await Assert.ThrowsAsync<InvalidDataException>(() => Read(Grain("mine")));
    }

    [Fact]
    public async Task AStateLastsBeyondTheStorageObject()
    {
        var written = await Write(Grain("lasting"), new() { Text = "kept" });
        _storage = Storage();

        await AssertStored("kept", written.ETag, Grain("lasting"));
    }

    private static GrainId Grain(string key) => GrainId.Create("url", key);

    private static GrainState<T> New<T>()
        where T : new() => new(new T());

    private static void AssertFresh(GrainState<StateOfTest> state)
    {
        Assert.Equal(new StateOfTest(), state.State);
        Assert.Null(state.ETag);
        Assert.False(state.RecordExists);
    }

    private TableGrainStorage Storage() =>
        new(
            "test",
            "grains",
            _store,
            new OrleansGrainStorageSerializer(_services.GetRequiredService<Serializer>()),
            _services.GetRequiredService<IActivatorProvider>()
        );

    private async Task<GrainState<StateOfTest>> Write(GrainId grain, StateOfTest value)
    {
        var state = new GrainState<StateOfTest>(value);
        await _storage.WriteStateAsync(Name, grain, state);
        return state;
    }

    private async Task<GrainState<StateOfTest>> Read(GrainId grain)
    {
        var state = New<StateOfTest>();
        await _storage.ReadStateAsync(Name, grain, state);
        return state;
    }

    private async Task AssertStored(string text, string? etag, GrainId grain)
    {
        var read = await Read(grain);
        Assert.Equal(text, read.State!.Text);
        Assert.Equal(etag, read.ETag);
    }

    /// <summary>The row of a grain, found by looking through all of them.</summary>
    private async Task<(string Partition, TableRow Row)> Find(string grain)
    {
        foreach (var first in "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
        {
            foreach (
                var row in await _store.Scan(
                    "grains",
                    $"states.{first}",
                    KeyRange.All,
                    StoreLimits.MaxScan,
                    TestContext.Current.CancellationToken
                )
            )
            {
                if (row.Payload.Span.IndexOf(System.Text.Encoding.UTF8.GetBytes($"3:url{grain}")) >= 0)
                {
                    return ($"states.{first}", row);
                }
            }
        }

        throw new InvalidOperationException($"There is no row of {grain}.");
    }
}
