using System.Net;
using System.Net.Sockets;
using Doubles.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Silo.Cluster;
using Silo.Storage;
using Xunit;

namespace EndToEnd;

/// <summary>On the ports that this machine listens on.</summary>
public sealed class LostMembersTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OnlyTheLostAreWrittenOff()
    {
        using var living = new TcpListener(IPAddress.Loopback, port: 0);
        living.Start();
        var table = new TableMembershipTable(
            new TableStoreInMemory(),
            Options.Create(new Orleans.Configuration.ClusterOptions { ClusterId = "dev", ServiceId = "orleans" })
        );
        await Insert(table, (IPEndPoint)living.LocalEndpoint);
        await Insert(table, new(IPAddress.Loopback, Unique.Port()));
        await Insert(table, new(IPAddress.Parse("10.0.0.1"), 11111));

        await new LostMembers(table, NullLogger<LostMembers>.Instance).Run(Cancel);

        var members = (await table.ReadAllAsync(Cancel))
            .Members.Select(member => member.Item1)
            .ToDictionary(entry => entry.SiloAddress.Endpoint, entry => entry.Status);
        Assert.Equal(SiloStatus.Active, members[(IPEndPoint)living.LocalEndpoint]);
        Assert.Equal(SiloStatus.Active, members[new(IPAddress.Parse("10.0.0.1"), 11111)]);
        Assert.Single(members, member => member.Value == SiloStatus.Dead);
    }

    private static async Task Insert(TableMembershipTable table, IPEndPoint end)
    {
        await table.InitializeMembershipTableAsync(tryInitTableVersion: true, Cancel);
        var member = new MembershipEntry
        {
            SiloAddress = SiloAddress.New(end, 1),
            SiloName = "silo-0",
            HostName = "here",
            Status = SiloStatus.Active,
            StartTime = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc),
            IAmAliveTime = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc),
        };
        Assert.True(await table.InsertRowAsync(member, (await table.ReadAllAsync(Cancel)).Version.Next(), Cancel));
    }
}
