using System.Data;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Grains.Interfaces.Cluster;
using Grains.Storage;
using Microsoft.Data.Sqlite;
using Silo.Launch;
using Silo.StartUp;
using Silo.Storage;
using Xunit;

namespace EndToEnd;

public sealed class SiloProcessTests : IDisposable
{
    private readonly SiloPlace _place = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task ASiloThatIsReadySaysWhereItIsAndStopsOnSigTerm()
    {
        await using var silo = await SiloProcess.StartReady(_place);
        Assert.Equal(ExitCodes.Stopped, await silo.Stop());

        // Between its own lines there may be those of Orleans, which may have to warn of what a stop in its first moments breaks off.
        SaysInOrder(
            silo,
            $"Starting: Orleans silo 0.1.0, instance 0 of cluster \"dev\", process {silo.ProcessId}",
            "Ready: Orleans silo 0.1.0, instance 0 of cluster \"dev\", after ",
            $"  silos    {_place.Silo}",
            $"  clients  {_place.Gateway}",
            $"  HTTP     http://{_place.Http}/",
            $"  API      http://{_place.Http}/api",
            $"  gRPC     {_place.Grpc}",
            $"  OTLP     http://{_place.Otlp}/v1/logs",
            "  keys     none: HTTP is open to everybody on this machine",
            $"  data     {_place.Data} (",
            "Stopping: ",
            "Stopped."
        );
        Assert.Empty(silo.Errors);
    }

    [Fact]
    public async Task AfterKill9TheNextSiloOnTheSameDataIsTheOnlyOne()
    {
        await using (var first = await SiloProcess.StartReady(_place))
        {
            await first.Kill9();
        }

        await using var second = await SiloProcess.StartReady(_place);
        var status = await Status(second);
        Assert.Equal(["Active"], status.Silos.Select(silo => silo.Status));
    }

    [Fact]
    public async Task CtrlCStopsASiloCleanly()
    {
        await using var silo = await SiloProcess.StartReady(_place);
        silo.Interrupt();
        Assert.Equal(ExitCodes.Stopped, await silo.Ended());
        SaysInOrder(silo, "Stopping: ", "Stopped.");
    }

    [Fact]
    public async Task ASecondCtrlCEndsASiloAtOnceThatCannotFinish()
    {
        await using var silo = await SiloProcess.StartReady(_place);

        // While another holds the database, the silo cannot write that it leaves.
        using var holder = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = Path.Combine(Tables, "cluster.db"), Pooling = false }.ToString()
        );
        holder.Open();
        using var hold = holder.BeginTransaction(IsolationLevel.Serializable);
        silo.Interrupt();
        await Wait.For(silo.Said("Stopping: "), "the silo to begin to stop", () => silo.AllSaid);
        Assert.False(silo.Exit.IsCompleted);

        silo.Interrupt();
        Assert.Equal(ExitCodes.Interrupted, await silo.Ended());
        Assert.Equal(["Ended at once; the other silos will find out by themselves."], silo.Errors);
    }

    [Fact]
    public async Task ASecondSiloJoinsAndLeavesTheSameCluster()
    {
        using var beside = _place.Beside();
        await using var first = await SiloProcess.StartReady(_place);
        await using var second = await SiloProcess.StartReady(beside);
        Assert.Equal([(_place.Silo.ToString(), "Active"), (beside.Silo.ToString(), "Active")], InOrder(await Status(first)));

        Assert.Equal(ExitCodes.Stopped, await second.Stop());

        Assert.Equal([(_place.Silo.ToString(), "Active"), (beside.Silo.ToString(), "Dead")], InOrder(await Status(first)));

        IEnumerable<(string, string)> InOrder(ClusterStatus status) =>
            status.Silos.OrderBy(silo => silo.Address == _place.Silo.ToString() ? 0 : 1).Select(silo => (silo.Address, silo.Status));
    }

    [Fact]
    public async Task OneOfTwoKilledSilosDoesNotWaitForTheOther()
    {
        using var beside = _place.Beside();
        await using (var first = await SiloProcess.StartReady(_place))
        await using (var second = await SiloProcess.StartReady(beside))
        {
            await Task.WhenAll(first.Kill9(), second.Kill9());
        }

        await using var again = await SiloProcess.StartReady(_place);

        // The log is written by a thread of its own, and the banner is not of the log.
        await Wait.For(
            again.Wrote(line =>
                line.EndsWith($"silo-0 at {beside.Silo} ended without leaving the cluster; it is written off", StringComparison.Ordinal)
            ),
            "the log to tell of the other silo's end",
            () => again.AllSaid
        );
    }

    [Theory]
    [InlineData("Cluster:SiloPort", "other silos")]
    [InlineData("Cluster:GatewayPort", "clients")]
    [InlineData("Http:Port", "HTTP")]
    [InlineData("Grpc:Port", "gRPC")]
    [InlineData("Logs:OtlpHttpPort", "OTLP over HTTP")]
    [InlineData("Logs:SyslogPort", "syslog")]
    public async Task APortInUseIsNamedWithWhatToDo(string setting, string what)
    {
        using var taken = new TcpListener(IPAddress.Loopback, port: 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);

        await Refused(
            ExitCodes.Failed,
            $"Port {port} for {what} ({setting}) is in use on 127.0.0.1, perhaps by another silo. "
                + $"Start this one with --instance 1, which shifts every port by 100 more, or give another port with --{setting}.",
            [$"--{setting}", port]
        );
    }

    [Fact]
    public async Task ADataFolderThatCannotBeWrittenIsNamed()
    {
        var file = Path.Combine(_place.Folder, "file");
        await File.WriteAllTextAsync(file, "", Cancel);

        await Refused(
            ExitCodes.Failed,
            $"The data folder {file}/below (Storage:Path) cannot be written: {file} is a file and not a folder. Give a folder "
                + $"that can, with --Storage:Path.",
            ["--Storage:Path", "file/below"]
        );
    }

    [Fact]
    public async Task DataOfANewerVersionStopsTheSilo()
    {
        await Store("cluster", "format", "version", """{"version":2}""");

        await Refused(
            ExitCodes.Failed,
            $"The data in {_place.Data} is of version 2, written by a newer silo; this one, 0.1.0, reads up to version 1. Start "
                + $"the newer silo, or give another folder with --Storage:Path.",
            []
        );
    }

    [Fact]
    public async Task DataOfAnotherClusterStopsTheSilo()
    {
        await Store("cluster", "format", "owner", """{"cluster":"prod"}""");

        await Refused(
            ExitCodes.Failed,
            $"The data in {_place.Data} belongs to cluster \"prod\", and this silo is of cluster \"dev\". Start it with "
                + $"--Cluster:Id prod, or give another folder with --Storage:Path.",
            []
        );
    }

    [Fact]
    public async Task AnotherCountOfWorkersStopsTheSilo()
    {
        await Store("cluster", "format", "count.Crawling.Workers", """{"count":3}""");

        await Refused(
            ExitCodes.WrongSetting,
            "Crawling:Workers is 8, and the data was made with 3, which cannot be changed afterwards. Set it to 3, or give "
                + "another folder with --Storage:Path.",
            []
        );
    }

    [Fact]
    public async Task AFileThatIsNoDatabaseStopsTheSilo()
    {
        var file = Path.Combine(Tables, "cluster.db");
        Directory.CreateDirectory(Tables);
        await File.WriteAllTextAsync(file, string.Concat(Enumerable.Repeat("no database ", 100)), Cancel);

        await Refused(
            ExitCodes.Failed,
            $"\"{file}\" is not a database of this program; restore the whole data folder from one copy, or move the whole "
                + $"folder away to begin anew. Or choose another folder with Storage:Path.",
            []
        );
    }

    [Theory]
    [InlineData("There is no setting --Storage:Pth; the nearest one is --Storage:Path. --help lists all.", "--Storage:Pth", "x")]
    [InlineData("Storage:Kind is \"Floppy\"; this build knows Local, Azure.", "--Storage:Kind=Floppy")]
    [InlineData(
        "Storage:Kind is Azure, and no account is named; give Storage:AccountName, or Storage:ConnectionString "
            + "(UseDevelopmentStorage=true for Azurite).",
        "--Storage:Kind=Azure"
    )]
    [InlineData("Instance:Number is 100; it is a whole number from 0 to 99.", "--instance", "100")]
    public async Task AWrongSettingStopsTheSilo(string sentence, params string[] args) =>
        await Refused(ExitCodes.WrongSetting, sentence, args);

    [Fact]
    public async Task HelpIsPrintedWithoutStartingASilo()
    {
        await using var silo = SiloProcess.StartWith(_place, "--help");

        Assert.Equal(ExitCodes.Stopped, await silo.Ended());
        Assert.Contains("  --Storage:Path <text>", silo.Output);
        Assert.False(Directory.Exists(_place.Data));
    }

    private string Tables => Path.Combine(_place.Data, "tables");

    private async Task Refused(int code, string sentence, string[] args)
    {
        await using var silo = SiloProcess.Start(_place, args);

        Assert.Equal(code, await silo.Ended());
        Assert.Equal([sentence], silo.Errors);
        // The test's folder was open to others.
        Assert.DoesNotContain(silo.Output, line =>
            !line.Contains("DataFolderCheck: ", StringComparison.Ordinal) && !line.StartsWith(Banner.Starting, StringComparison.Ordinal)
        );
    }

    private async Task Store(string table, string partition, string key, string json)
    {
        await using var store = SqliteTableStore.Open(Tables);
        var commit = await store.Commit(table, partition, [RowChange.Put(key, Encoding.UTF8.GetBytes(json))], Cancel);
        Assert.Equal(CommitOutcome.Committed, commit.Outcome);
    }

    /// <summary>Lines with these beginnings are in its output, one after the other.</summary>
    private static void SaysInOrder(SiloProcess silo, params IEnumerable<string> beginnings)
    {
        var rest = silo.Output.AsEnumerable();
        foreach (var beginning in beginnings)
        {
            rest = rest.SkipWhile(line => !line.StartsWith(beginning, StringComparison.Ordinal));
            Assert.True(
                rest.Any(),
                $"After the lines before it there is none that begins with '{beginning}':{Environment.NewLine}{silo.AllSaid}"
            );
            rest = rest.Skip(1);
        }
    }

    internal static async Task<ClusterStatus> Status(SiloProcess silo)
    {
        await using var client = await SilosClient.Connect(Cancel, silo.Place.Gateway);
        return await client.Status(Cancel);
    }
}
