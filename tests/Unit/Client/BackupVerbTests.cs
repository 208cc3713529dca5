using Grains.Interfaces.Cluster;
using Xunit;

namespace Unit.Client;

public sealed class BackupVerbTests
{
    private readonly ConsoleInMemory _console = new();

    [Fact]
    public async Task ABackupIsToldWhenItIsComplete()
    {
        Reports(new(1, 1024), new(2, 4096) { Outcome = new("abc", ConsoleInMemory.Start, "host-1", Problem: null) });

        var printed = await _console.Run("cluster", "backup", "/backups/today");

        Assert.Equal((ExitCode.Done, ""), (printed.Code, printed.Error));
        Assert.Equal(["Backup abc of 2026-03-01 12:00:00Z: 2 files, 4 KB, in /backups/today on host-1."], printed.Lines);
    }

    [Fact]
    public async Task ABackupThatTheSiloRefusesFails()
    {
        Reports(new BackupReport(0, 0) { Outcome = new(Id: null, At: null, "host-1", "\"/data\" is not empty.") });

        var printed = await _console.Run("cluster", "backup", "/data");

        Assert.Equal((ExitCode.Failed, "", "\"/data\" is not empty.\n"), (printed.Code, printed.Output, printed.Error));
    }

    [Fact]
    public async Task ABackupWithoutAnOutcomeFails()
    {
        Reports(new BackupReport(1, 1024));

        var printed = await _console.Run("cluster", "backup", "/backups/today");

        Assert.Equal(
            (ExitCode.Failed, "The silo stopped before the backup was complete. What is in \"/backups/today\" is not a backup.\n"),
            (printed.Code, printed.Error)
        );
    }

    private void Reports(params BackupReport[] reports) => _console.Cluster.BackupReports.AddRange(reports);
}
