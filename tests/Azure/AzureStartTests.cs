using System.Net;
using System.Text;
using Doubles.Azurite;
using Grains.Storage;
using Silo.StartUp;
using Xunit;

namespace AzureTests;

/// <summary>How a silo starts on an account of Azure Storage, and what it says when it cannot.</summary>
public sealed class AzureStartTests(Azurite azurite) : IDisposable
{
    private readonly SiloPlace _place = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task ASiloMakesWhatItNeedsAndLeavesNothingOnItsMachine()
    {
        await using var server = await azurite.Own();
        await using var silo = await SiloProcess.StartReady(_place, Settings(server.ConnectionString));

        Assert.Contains($"  data     the storage account at http://127.0.0.1:{server.TablePort}/devstoreaccount1", silo.Output);
        Assert.False(Directory.Exists(_place.Data));
        using var http = new HttpClient();
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri($"http://{_place.Http}/health/ready"), Cancel)).StatusCode);
        Assert.Equal(ExitCodes.Stopped, await silo.Stop());
        Assert.Empty(silo.Errors);
    }

    [Theory]
    [InlineData("Silo")]
    [InlineData("Front")]
    public async Task AnAccountWithTheEarlierLayoutStopsTheSiloAndLeavesItAsItIs(string role)
    {
        await using var server = await azurite.Own();
        var earlier = Azurite.Tables(server.ConnectionString);
        var version = RowChange.Insert("version", Encoding.UTF8.GetBytes("""{"version":1}"""));
        var member = RowChange.Insert("version", Encoding.UTF8.GetBytes("""{"version":3}"""));
        await earlier.Commit("cluster", "format", [version], Cancel);
        await earlier.Commit("cluster", "members.dev", [member], Cancel);

        await using var silo = SiloProcess.Start(_place, [.. Settings(server.ConnectionString), "--Cluster:Role", role]);

        Assert.Equal(ExitCodes.Failed, await silo.Ended());
        Assert.Equal(
            $"The data in the storage account at http://127.0.0.1:{server.TablePort}/devstoreaccount1 has the layout of an earlier silo, "
                + "version 1, and this one, 0.1.0, does not open it: members and grain states are now where Orleans' own providers keep "
                + "them, and nothing is carried over. Export what you need with the silo that wrote it (crawl export, logs query, orders "
                + "list), then give another account with Storage:ConnectionString or --Storage:AccountName.",
            Assert.Single(silo.Errors)
        );
        var rows = await earlier.Scan("cluster", "format", KeyRange.All, 10, Cancel);
        Assert.Equal("version", Assert.Single(rows).Key);
        Assert.DoesNotContain("OrleansSiloInstances", await OrleansTables.Names(server.ConnectionString, Cancel));
    }

    [Fact]
    public async Task DataOfAnotherClusterStopsTheSilo()
    {
        await using var server = await azurite.Own();
        await Azurite
            .Tables(server.ConnectionString)
            .Commit("cluster", "format", [RowChange.Insert("owner", Encoding.UTF8.GetBytes("""{"cluster":"prod"}"""))], Cancel);

        await Refused(
            server.ConnectionString,
            $"The data in the storage account at http://127.0.0.1:{server.TablePort}/devstoreaccount1 belongs to cluster "
                + $"\"prod\", and this silo is of cluster \"dev\". "
                + "Start it with --Cluster:Id prod, or give another account with Storage:ConnectionString or --Storage:AccountName."
        );
    }

    [Fact]
    public async Task AKeyThatIsNotTheAccountsStopsTheSiloAndIsNotShown()
    {
        var server = await azurite.Use();

        await Refused(
            server.ConnectionString.Replace("Eby8", "AAAA", StringComparison.Ordinal),
            $"The table \"cluster\" cannot be made in the storage account at "
                + $"http://127.0.0.1:{server.TablePort}/devstoreaccount1: the service answered 403 Forbidden. "
                + "Give this silo's identity the role Storage Table Data Contributor, or check the key in Storage:ConnectionString."
        );
    }

    [Fact]
    public async Task AnAccountThatIsNotThereStopsTheSilo()
    {
        var port = Unique.Port();

        await Refused(
            AzuriteProcess.ConnectionStringOver(port, port),
            $"The table \"cluster\" cannot be made in the storage account at http://127.0.0.1:{port}/devstoreaccount1: "
                + $"Connection refused (127.0.0.1:{port}). "
                + "Check that the account is there and can be reached from here, or that Azurite runs."
        );
    }

    internal static string[] Settings(string connectionString) =>
        ["--Storage:Kind", "Azure", "--Storage:ConnectionString", connectionString];

    private async Task Refused(string connectionString, string sentence)
    {
        await using var silo = SiloProcess.Start(_place, Settings(connectionString));

        Assert.Equal(ExitCodes.Failed, await silo.Ended());
        Assert.Equal([sentence], silo.Errors);
    }
}
