using Doubles;
using Doubles.Storage;
using Grains.Interfaces.Keys;
using Grains.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Silo.Keys;
using Silo.StartUp;
using Xunit;

namespace Unit.Silo;

public sealed class KeysTests
{
    private readonly FakeTimeProvider _clock = new(new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly TableStoreInMemory _store = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ASecretOpensItsKeyAndNoOther()
    {
        var (reader, writer) = (await Add("reports", ApiRole.Reader), await Add("builds", ApiRole.Writer));
        var ring = Ring(_store);

        Assert.Equal(("reports", ApiRole.Reader), NameAndRole(await ring.Find(reader, Cancel)));
        Assert.Equal(("builds", ApiRole.Writer), NameAndRole(await ring.Find(writer, Cancel)));
        Assert.Null(await ring.Find("builds" + reader["reports".Length..], Cancel));
        Assert.Equal(2, await ring.Count(Cancel));
    }

    [Theory]
    [InlineData("")]
    [InlineData("reports")]
    [InlineData("reports.")]
    [InlineData(".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("reports.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("re/ports.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task WhatIsNoKeyOpensNothing(string secret)
    {
        await Add("reports", ApiRole.Reader);
        Assert.Null(await Ring(_store).Find(secret, Cancel));
    }

    [Fact]
    public async Task TheSecretIs256BitsAndIsNotKept()
    {
        var secret = await Add("reports", ApiRole.Reader);

        Assert.Matches("^reports[.][A-Za-z0-9_-]{43}$", secret);
        Assert.NotEqual(
            secret,
            ApiKey.Make("reports", ApiRole.Reader, _clock.GetUtcNow(), out var another).Name == "reports" ? another : ""
        );
        var row = await _store.Get("keys", "keys", "reports", Cancel);
        Assert.DoesNotContain(secret.Split('.')[1], System.Text.Encoding.UTF8.GetString(row!.Payload.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheBootstrapKeyIsMadeWhileThereIsNoneAndNeverAgain()
    {
        var secret = "first." + new string('A', 43);
        await Check(secret);
        var found = await Ring(_store).Find(secret, Cancel);
        Assert.Equal(("first", ApiRole.Operator), NameAndRole(found));

        await Check("second." + new string('A', 43));
        Assert.Equal(1, await Ring(_store).Count(Cancel));
    }

    [Fact]
    public async Task ABootstrapKeyThatWasRevokedDoesNotComeBackAtTheNextStart()
    {
        var secret = "first." + new string('A', 43);
        await Check(secret);
        await Grain().Revoke("first", Cancel);

        await Assert.ThrowsAsync<StartUpException>(() => Check(secret));
        Assert.Null(await Ring(_store).Find(secret, Cancel));
    }

    private Task Check(string bootstrap) =>
        new KeysCheck(
            TestEndpoints.Of(new(), new(), new(), new() { Address = "0.0.0.0" }, new()),
            Ring(_store),
            _store,
            Microsoft.Extensions.Options.Options.Create(new KeysOptions { Bootstrap = bootstrap }),
            _clock,
            NullLogger<KeysCheck>.Instance
        ).Run(Cancel);

    [Fact]
    public async Task ARevokedKeyIsRefusedAfterFiveSeconds()
    {
        var secret = await Add("reports", ApiRole.Reader);
        var ring = Ring(_store);
        Assert.NotNull(await ring.Find(secret, Cancel));

        Assert.True(await Grain().Revoke("reports", Cancel));
        _clock.Advance(KeyRing.Staleness - TimeSpan.FromTicks(1));
        Assert.NotNull(await ring.Find(secret, Cancel));
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Null(await ring.Find(secret, Cancel));
        Assert.False(await Grain().Revoke("reports", Cancel));
    }

    [Fact]
    public async Task ANewKeyIsKnownAfterASecond()
    {
        var ring = Ring(_store);
        Assert.Equal(0, await ring.Count(Cancel));
        var secret = await Add("reports", ApiRole.Reader);

        _clock.Advance(KeyRing.StalenessOfMiss - TimeSpan.FromTicks(1));
        Assert.Equal(0, await ring.Count(Cancel));
        Assert.Null(await ring.Find(secret, Cancel));
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(1, await ring.Count(Cancel));
        Assert.NotNull(await ring.Find(secret, Cancel));
    }

    [Fact]
    public async Task WhileTheStoreIsGoneKeysAreGoodForAMinuteAndThenNobodyIsLetIn()
    {
        var secret = await Add("reports", ApiRole.Reader);
        var store = new StoreThatGoes(_store);
        var ring = Ring(store);
        Assert.NotNull(await ring.Find(secret, Cancel));

        store.IsGone = true;
        _clock.Advance(KeyRing.Patience - TimeSpan.FromTicks(1));
        Assert.NotNull(await ring.Find(secret, Cancel));
        _clock.Advance(TimeSpan.FromTicks(1));
        await Assert.ThrowsAsync<KeysUnavailableException>(async () => await ring.Find(secret, Cancel));

        store.IsGone = false;
        Assert.NotNull(await ring.Find(secret, Cancel));
    }

    [Fact]
    public async Task ManyRequestsAskTheStoreOnce()
    {
        var secret = await Add("reports", ApiRole.Reader);
        var store = new StoreThatGoes(_store);
        var ring = Ring(store);
        for (var i = 0; i < 100; i++)
        {
            Assert.NotNull(await ring.Find(secret, Cancel));
            Assert.Null(await ring.Find("nobody.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Cancel));
        }

        Assert.Equal(1, store.Scans);
    }

    [Fact]
    public async Task AfterTheLastKeyWasRevokedTheDoorsStayClosedUntilAnOperatorOpensThem()
    {
        var ring = Ring(_store);
        Assert.True(await ring.IsOpen(Cancel));
        await Add("reports", ApiRole.Reader);
        Assert.False(await Grain().Open(Cancel));
        await Grain().Revoke("reports", Cancel);

        foreach (var known in (KeyRing[])[ring, Ring(_store)])
        {
            _clock.Advance(KeyRing.Staleness);
            Assert.Equal((0, false), (await known.Count(Cancel), await known.IsOpen(Cancel)));
        }

        Assert.False(await Grain().IsOpen(Cancel));
        Assert.True(await Grain().Open(Cancel));
        _clock.Advance(KeyRing.StalenessOfMiss);
        Assert.True(await ring.IsOpen(Cancel));
    }

    [Fact]
    public async Task TwoKeysThatAreRevokedAtOnceOpenNothing()
    {
        await Add("one", ApiRole.Reader);
        await Add("two", ApiRole.Reader);
        // Two operators at once, each of whom saw another key.
        await Task.WhenAll(Grain().Revoke("one", Cancel), Grain().Revoke("two", Cancel));

        Assert.False(await Ring(_store).IsOpen(Cancel));
    }

    [Fact]
    public async Task ANameIsGivenOnce()
    {
        await Add("reports", ApiRole.Reader);
        var again = await Grain().Add("reports", ApiRole.Operator, Cancel);

        Assert.Equal(
            new(null, "There is a key named \"reports\" already. Choose another name, or revoke that one first.")
            {
                Refusal = AddKeyRefusal.Exists,
            },
            again
        );
        Assert.Equal([new ApiKeyLine("reports", ApiRole.Reader, _clock.GetUtcNow())], await Grain().List(Cancel));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a.b")]
    [InlineData("é")]
    public async Task AnOddNameIsRefused(string name) =>
        Assert.Equal(
            new(null, $"\"{name}\" is no name for a key: 1 to 60 letters, digits, \"-\" and \"_\".") { Refusal = AddKeyRefusal.Name },
            await Grain().Add(name, ApiRole.Reader, Cancel)
        );

    [Fact]
    public async Task NoMoreThanFiveHundredAreKept()
    {
        foreach (var i in Enumerable.Range(0, IApiKeysGrain.MaxKeys))
        {
            await KeyTable.Insert(_store, ApiKey.Make($"k{i}", ApiRole.Reader, _clock.GetUtcNow(), out _), Cancel);
        }

        Assert.Equal("500 keys are kept already. Revoke one first.", (await Grain().Add("more", ApiRole.Reader, Cancel)).Error);
        Assert.Equal(500, await Ring(_store).Count(Cancel));
    }

    private KeyRing Ring(ITableStore store) => new(store, _clock, _clock);

    private ApiKeysGrain Grain() => new(_store, _clock, NullLogger<ApiKeysGrain>.Instance);

    private async Task<string> Add(string name, ApiRole role) => (await Grain().Add(name, role, Cancel)).Secret!;

    private static (string, ApiRole) NameAndRole(ApiKey? key) => (key!.Name, key.Role);

    private sealed class StoreThatGoes(ITableStore store) : ITableStore
    {
        public bool IsGone { get; set; }

        public int Scans { get; private set; }

        public ValueTask<TableRow?> Get(string table, string partition, string key, CancellationToken cancel = default) =>
            store.Get(table, partition, key, cancel);

        public ValueTask<IReadOnlyList<TableRow>> Scan(
            string table,
            string partition,
            KeyRange range,
            int take,
            CancellationToken cancel = default
        )
        {
            Scans++;
            return IsGone ? throw new IOException("Gone.") : store.Scan(table, partition, range, take, cancel);
        }

        public Task<CommitResult> Commit(
            string table,
            string partition,
            IReadOnlyList<RowChange> changes,
            CancellationToken cancel = default
        ) => store.Commit(table, partition, changes, cancel);
    }
}
