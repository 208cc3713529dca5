using System.Net;
using Doubles.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Silo.Cluster;
using Silo.Storage;
using Xunit;

namespace Unit.Silo;

public sealed class LostMembersTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.0.0.1:11111", SiloStatus.Active, "127.0.0.1:11111", false)]
    [InlineData("127.0.0.1:11111", SiloStatus.Active, "0.0.0.0:11111", false)]
    [InlineData("127.0.0.1:11111", SiloStatus.Active, "[::]:11111", false)]
    [InlineData("127.0.0.1:11111", SiloStatus.Active, "127.0.0.2:11111", true)]
    [InlineData("127.0.0.1:11111", SiloStatus.Active, "127.0.0.1:11112", true)]
    [InlineData("127.0.0.1:11111", SiloStatus.Joining, "127.0.0.1:11112", true)]
    [InlineData("127.0.0.1:11111", SiloStatus.ShuttingDown, "127.0.0.1:11112", false)]
    [InlineData("127.0.0.1:11111", SiloStatus.Dead, "127.0.0.1:11112", false)]
    [InlineData("10.0.0.1:11111", SiloStatus.Active, "127.0.0.1:11112", false)]
    public void AMemberIsLostWhenNobodyListensOnItsPortOnLoopback(string address, SiloStatus status, string listener, bool lost) =>
        Assert.Equal(lost, LostMembers.IsLost(Member(IPEndPoint.Parse(address), status), [IPEndPoint.Parse(listener)]));

    [Fact]
    public async Task ANewClusterHasNobodyToWriteOff()
    {
        var table = NewTable();

        await new LostMembers(table, NullLogger<LostMembers>.Instance).Run(Cancel);

        Assert.Equal(0, (await table.ReadAllAsync(Cancel)).Version.Version);
    }

    private static TableMembershipTable NewTable() =>
        new(
            new TableStoreInMemory(),
            Options.Create(new Orleans.Configuration.ClusterOptions { ClusterId = "dev", ServiceId = "orleans" })
        );

    private static MembershipEntry Member(IPEndPoint end, SiloStatus status) =>
        new()
        {
            SiloAddress = SiloAddress.New(end, 1),
            SiloName = "silo-0",
            HostName = "here",
            Status = status,
            StartTime = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc),
            IAmAliveTime = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc),
        };
}
