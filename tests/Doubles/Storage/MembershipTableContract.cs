using System.Net;
using Grains.Storage;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Silo.Storage;
using Xunit;

namespace Doubles.Storage;

/// <summary>What the runtime expects of a table of members, and what this one promises beyond.</summary>
public abstract class MembershipTableContract : IAsyncLifetime
{
    private static readonly DateTime Start = new(2026, 5, 1, 12, 0, 0, DateTimeKind.Utc);

    private FlakyTableStore _store = null!;
    private TableMembershipTable _table = null!;
    private int _generation;

    public virtual async ValueTask InitializeAsync()
    {
        _store = new FlakyTableStore(Open());
        _table = Members("test");
        await _table.InitializeMembershipTableAsync(tryInitTableVersion: true, TestContext.Current.CancellationToken);
    }

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    protected abstract ITableStore Open();

    [Fact]
    public async Task AnEmptyTableHasVersionZeroAndAnEtag()
    {
        var data = await _table.ReadAll();

        Assert.Empty(data.Members);
        Assert.Equal(0, data.Version.Version);
        Assert.NotEmpty(data.Version.VersionEtag);
    }

    [Fact]
    public async Task MakingTheTableAgainChangesNothing()
    {
        await Insert(Silo());
        var before = await _table.ReadAll();

        await _table.InitializeMembershipTable(true);
        await Members("test").InitializeMembershipTable(true);

        var after = await _table.ReadAll();
        Assert.Equal(before.Version, after.Version);
        Assert.Single(after.Members);
    }

    [Fact]
    public async Task AnInsertRaisesTheVersion()
    {
        var silo = Silo();
        var before = (await _table.ReadAll()).Version;

        Assert.True(await _table.InsertRow(silo, before.Next()));

        var data = await _table.ReadAll();
        Assert.Equal(1, data.Version.Version);
        Assert.NotEqual(before.VersionEtag, data.Version.VersionEtag);
        AssertSame(silo, Assert.Single(data.Members).Item1);
    }

    [Fact]
    public async Task AnInsertWithAnOlderVersionIsRefused()
    {
        var version = (await _table.ReadAll()).Version.Next();
        var silo = Silo();
        Assert.True(await _table.InsertRow(silo, version));

        Assert.False(await _table.InsertRow(silo, version));
        Assert.False(await _table.InsertRow(Silo(), version));

        var data = await _table.ReadAll();
        Assert.Equal(1, data.Version.Version);
        Assert.Single(data.Members);
    }

    [Fact]
    public async Task AnInsertOfASiloThatIsThereIsRefused()
    {
        var silo = Silo();
        await Insert(silo);
        var before = await _table.ReadAll();

        Assert.False(await _table.InsertRow(silo, before.Version.Next()));

        var after = await _table.ReadAll();
        Assert.Equal(before.Version, after.Version);
        Assert.Equal(before.Members[0].Item2, after.Members[0].Item2);
    }

    [Fact]
    public async Task ARowIsReadWithTheVersion()
    {
        var silo = Silo();
        await Insert(silo);
        await Insert(Silo());

        var data = await _table.ReadRow(silo.SiloAddress);

        Assert.Equal(2, data.Version.Version);
        var (entry, etag) = Assert.Single(data.Members);
        AssertSame(silo, entry);
        Assert.NotEmpty(etag);
    }

    [Fact]
    public async Task ARowOfASiloThatIsNotThereIsEmptyWithTheVersion()
    {
        await Insert(Silo());

        var data = await _table.ReadRow(Silo().SiloAddress);

        Assert.Empty(data.Members);
        Assert.Equal(1, data.Version.Version);
    }

    [Fact]
    public async Task EveryFieldOfARowIsKept()
    {
        var silo = Silo();
        silo.Status = SiloStatus.ShuttingDown;
        silo.RoleName = "role";
        silo.UpdateZone = 3;
        silo.FaultZone = 4;
        silo.SuspectTimes = [Tuple.Create(Silo().SiloAddress, Start.AddSeconds(1)), Tuple.Create(Silo().SiloAddress, Start.AddTicks(7))];
        await Insert(silo);

        AssertSame(silo, Assert.Single((await _table.ReadAll()).Members).Item1);
    }

    [Fact]
    public async Task AnAddressOfVersionSixIsKept()
    {
        var silo = Silo();
        silo.SiloAddress = SiloAddress.New(IPAddress.Parse("fe80::1"), 11111, 5);
        await Insert(silo);

        Assert.Equal(silo.SiloAddress, Assert.Single((await _table.ReadRow(silo.SiloAddress)).Members).Item1.SiloAddress);
    }

    [Fact]
    public async Task AnUpdateNeedsTheRowsEtagAndTheVersion()
    {
        for (var count = 1; count < 10; count++)
        {
            var silo = Silo();
            silo.SuspectTimes =
            [
                Tuple.Create(Silo().SiloAddress, Start.AddSeconds(1)),
                Tuple.Create(Silo().SiloAddress, Start.AddSeconds(2)),
            ];
            var old = (await _table.ReadAll()).Version.Next();
            Assert.True(await _table.InsertRow(silo, old));
            var etag = (await Row(silo)).ETag;

            Assert.False(await _table.UpdateRow(silo, etag, old));

            silo.Status = SiloStatus.Active;
            var version = (await _table.ReadAll()).Version.Next();
            Assert.True(await _table.UpdateRow(silo, etag, version));
            Assert.False(await _table.UpdateRow(silo, etag, version));
            Assert.False(await _table.UpdateRow(silo, etag, (await _table.ReadAll()).Version.Next()));
            Assert.False(await _table.UpdateRow(silo, (await Row(silo)).ETag, version));

            var data = await _table.ReadAll();
            Assert.Equal(version.Version, data.Version.Version);
            Assert.Equal(count * 2, data.Version.Version);
            Assert.Equal(count, data.Members.Count);
            AssertSame(silo, data.TryGet(silo.SiloAddress)!.Item1);
        }
    }

    [Fact]
    public async Task AnUpdateOfASiloThatIsNotThereIsRefused()
    {
        await Insert(Silo());
        var before = await _table.ReadAll();

        Assert.False(await _table.UpdateRow(Silo(), before.Members[0].Item2, before.Version.Next()));

        Assert.Equal(before.Version, (await _table.ReadAll()).Version);
    }

    [Fact]
    public async Task OfManyThatInsertOneSiloOneSucceeds()
    {
        var silo = Silo();
        var version = (await _table.ReadAll()).Version.Next();

        var inserted = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _table.InsertRow(silo, version)));

        Assert.Single(inserted, won => won);
        Assert.Equal(1, (await _table.ReadAll()).Version.Version);
    }

    [Fact]
    public async Task UpdatesInParallelEachRaiseTheVersionOnce()
    {
        var silo = Silo();
        await Insert(silo);

        await Task.WhenAll(
            Enumerable
                .Range(0, 19)
                .Select(async _ =>
                {
                    while (true)
                    {
                        var data = await _table.ReadAll();
                        var (entry, etag) = data.TryGet(silo.SiloAddress)!;
                        if (await _table.UpdateRow(entry, etag, data.Version.Next()))
                        {
                            return;
                        }
                    }
                })
        );

        var after = await _table.ReadAll();
        Assert.Equal(20, after.Version.Version);
        Assert.Single(after.Members);
    }

    [Fact]
    public async Task ASignOfLifeLeavesVersionStatusAndEtagAlone()
    {
        var silo = Silo();
        await Insert(silo);
        var before = await _table.ReadAll();

        await _table.UpdateIAmAlive(new() { SiloAddress = silo.SiloAddress, IAmAliveTime = Start.AddMinutes(5) });

        var after = await _table.ReadAll();
        Assert.Equal(before.Version, after.Version);
        var (entry, etag) = Assert.Single(after.Members);
        Assert.Equal(before.Members[0].Item2, etag);
        Assert.Equal(Start.AddMinutes(5), entry.IAmAliveTime);
        silo.IAmAliveTime = Start.AddMinutes(5);
        AssertSame(silo, entry);

        silo.Status = SiloStatus.Active;
        Assert.True(await _table.UpdateRow(silo, etag, before.Version.Next()));
    }

    [Fact]
    public async Task ASignOfLifeThatComesLateDoesNotUndoADeath()
    {
        var silo = Silo();
        await Insert(silo);
        var (entry, etag) = await Row(silo);
        entry.Status = SiloStatus.Dead;
        Assert.True(await _table.UpdateRow(entry, etag, (await _table.ReadAll()).Version.Next()));

        await _table.UpdateIAmAlive(
            new()
            {
                SiloAddress = silo.SiloAddress,
                IAmAliveTime = Start.AddMinutes(5),
                Status = SiloStatus.Active,
            }
        );

        Assert.Equal(SiloStatus.Dead, (await Row(silo)).Entry.Status);
    }

    [Fact]
    public async Task AnUpdateDoesNotUndoASignOfLife()
    {
        var silo = Silo();
        await Insert(silo);
        var (entry, etag) = await Row(silo);
        await _table.UpdateIAmAlive(new() { SiloAddress = silo.SiloAddress, IAmAliveTime = Start.AddMinutes(5) });

        entry.Status = SiloStatus.Active;
        Assert.True(await _table.UpdateRow(entry, etag, (await _table.ReadAll()).Version.Next()));

        Assert.Equal(Start.AddMinutes(5), (await Row(silo)).Entry.IAmAliveTime);
    }

    [Fact]
    public async Task CleaningRemovesTheDeadWhoseLastSignIsOlder()
    {
        foreach (var status in Enum.GetValues<SiloStatus>().Where(status => status != SiloStatus.None))
        {
            foreach (var age in new[] { 0, 10 })
            {
                var silo = Silo();
                silo.Status = status;
                silo.StartTime = silo.IAmAliveTime = Start.AddDays(-age);
                await Insert(silo);
            }
        }

        var lateVerdict = Silo();
        lateVerdict.Status = SiloStatus.Dead;
        lateVerdict.StartTime = lateVerdict.IAmAliveTime = Start.AddDays(-10);
        lateVerdict.SuspectTimes = [Tuple.Create(Silo().SiloAddress, Start)];
        await Insert(lateVerdict);
        var before = await _table.ReadAll();

        await _table.CleanupDefunctSiloEntries(Start.AddDays(-7));

        var after = await _table.ReadAll();
        var gone = Assert.Single(before.Members, member => after.TryGet(member.Item1.SiloAddress) is null).Item1;
        Assert.Equal((SiloStatus.Dead, Start.AddDays(-10)), (gone.Status, gone.IAmAliveTime));
        Assert.Equal(before.Version, after.Version);

        await _table.CleanupDefunctSiloEntries(Start.AddDays(-7));
        Assert.Equal(after.Members.Count, (await _table.ReadAll()).Members.Count);
    }

    [Fact]
    public async Task CleaningRemovesMoreThanACommitHolds()
    {
        for (var count = 0; count < 120; count++)
        {
            var silo = Silo();
            silo.Status = SiloStatus.Dead;
            await Insert(silo);
        }

        await _table.CleanupDefunctSiloEntries(Start.AddDays(1));

        Assert.Empty((await _table.ReadAll()).Members);
        Assert.Equal(
            "version",
            Assert.Single(await _store.Scan("cluster", "members.test", KeyRange.All, 10, TestContext.Current.CancellationToken)).Key
        );
    }

    [Fact]
    public async Task GatewaysAreTheActiveSilosWithAGatewayPort()
    {
        var silos = Enumerable.Range(0, 10).Select(_ => Silo()).ToArray();
        silos[3].Status = silos[5].Status = silos[9].Status = SiloStatus.Active;
        silos[3].ProxyPort = 0;
        foreach (var silo in silos)
        {
            await Insert(silo);
        }

        var gateways = new TableGateways(_table, Options.Create(new GatewayOptions()));
        await gateways.InitializeGatewayListProvider();

        Assert.Equal(
            new[] { silos[5], silos[9] }
                .Select(silo => $"gwy.tcp://127.0.0.1:30000/{silo.SiloAddress.Generation}")
                .Order(StringComparer.Ordinal),
            (await gateways.GetGateways()).Select(uri => uri.ToString()).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task ClustersAreApart()
    {
        await Insert(Silo());
        var other = Members("a cluster with a name that is no key / ?");
        await other.InitializeMembershipTable(true);

        Assert.Empty((await other.ReadAll()).Members);
        Assert.True(await other.InsertRow(Silo(), (await other.ReadAll()).Version.Next()));

        await _table.DeleteMembershipTableEntries("test");
        Assert.Single((await other.ReadAll()).Members);
    }

    [Fact]
    public async Task AFailedReadIsAnExceptionAndNoEmptyTable()
    {
        await Insert(Silo());
        for (var reads = 1; reads <= 3; reads++)
        {
            _store.FailNextReads(1);
            await Assert.ThrowsAsync<IOException>(_table.ReadAll);
            _store.FailNextReads(1);
            await Assert.ThrowsAsync<IOException>(() => _table.ReadRow(Silo().SiloAddress));
        }

        Assert.Single((await _table.ReadAll()).Members);
    }

    [Fact]
    public async Task ATableThatWasDeletedIsAnExceptionAndNoEmptyTable()
    {
        await Insert(Silo());
        await _table.DeleteMembershipTableEntries("test");

        await Assert.ThrowsAsync<InvalidOperationException>(_table.ReadAll);
        Assert.Empty(await _store.Scan("cluster", "members.test", KeyRange.All, 10, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task AnOutcomeThatIsNotKnownIsAnExceptionAndNotFalse()
    {
        var version = (await _table.ReadAll()).Version.Next();
        _store.FailNextCommits(1, CommitFailure.UnknownApplied);

        await Assert.ThrowsAsync<OutcomeUnknownException>(() => _table.InsertRow(Silo(), version));

        Assert.Single((await _table.ReadAll()).Members);
        _store.FailNextCommits(1, CommitFailure.UnknownNotApplied);
        await Assert.ThrowsAsync<OutcomeUnknownException>(() => _table.UpdateIAmAlive(Silo()));
    }

    [Fact]
    public async Task WhoReadsWhileOthersJoinSeesAVersionAndItsMembers()
    {
        var joining = Task.Run(
            async () =>
            {
                for (var count = 0; count < 100; count++)
                {
                    await Insert(Silo());
                }
            },
            TestContext.Current.CancellationToken
        );

        var reads = 0;
        while (!joining.IsCompleted || reads == 0)
        {
            var data = await _table.ReadAll();
            Assert.Equal(data.Version.Version, data.Members.Count);
            reads++;
            await Task.Yield();
        }

        await joining;
        Assert.Equal(100, (await _table.ReadAll()).Members.Count);
    }

    private static void AssertSame(MembershipEntry expected, MembershipEntry actual)
    {
        static string Describe(MembershipEntry entry) =>
            string.Join(
                '\n',
                entry.SiloAddress.ToParsableString(),
                entry.Status,
                entry.HostName,
                entry.SiloName,
                entry.RoleName,
                entry.ProxyPort,
                entry.UpdateZone,
                entry.FaultZone,
                entry.StartTime.ToString("o"),
                entry.StartTime.Kind,
                entry.IAmAliveTime.ToString("o"),
                entry.IAmAliveTime.Kind,
                string.Join(
                    ',',
                    (entry.SuspectTimes ?? []).Select(suspicion => $"{suspicion.Item1.ToParsableString()} {suspicion.Item2:o}")
                )
            );

        Assert.Equal(Describe(expected), Describe(actual));
    }

    private TableMembershipTable Members(string cluster) => new(_store, Options.Create(new ClusterOptions { ClusterId = cluster }));

    private MembershipEntry Silo() =>
        new()
        {
            SiloAddress = SiloAddress.New(IPAddress.Loopback, 11111, Interlocked.Increment(ref _generation)),
            HostName = "here",
            SiloName = "silo",
            Status = SiloStatus.Joining,
            ProxyPort = 30000,
            StartTime = Start,
            IAmAliveTime = Start,
        };

    private async Task Insert(MembershipEntry silo) => Assert.True(await _table.InsertRow(silo, (await _table.ReadAll()).Version.Next()));

    private async Task<(MembershipEntry Entry, string ETag)> Row(MembershipEntry silo)
    {
        var (entry, etag) = Assert.Single((await _table.ReadRow(silo.SiloAddress)).Members);
        return (entry, etag);
    }
}
