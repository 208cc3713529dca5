using System.Net;
using System.Text;
using Doubles.Azurite;
using Grains.Storage;
using Silo;
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
