using System.CommandLine;
using Client.Values;
using Grains.Interfaces.Cluster;

namespace Client.Cluster;

/// <summary><c>cluster backup</c></summary>
internal static class BackupCommand
{
    private static readonly Argument<string> Folder = new("DIR")
    {
        Description = "A folder of the silo's machine that does not exist or is empty. A relative path counts from the console's folder.",
    };

    public static Command Create(Verbs verbs) =>
        verbs.Act(
            new("backup", "Copy all data into a folder of the silo's machine while the silos work. Restore it with: Silo --restore DIR.")
            {
                Folder,
            },
            (session, parsed, cancel) => Run(session, Path.GetFullPath(parsed.GetValue(Folder)!), cancel)
        );

    private static async Task<int> Run(Session session, string folder, CancellationToken cancel)
    {
        var backup = (await session.Cluster(cancel)).Backup;
        BackupReport? last = null;
        await foreach (var report in backup.Take(folder, cancel).WithBatchSize(1).WithCancellation(cancel))
        {
            last = report;
            if (report.Outcome is null && session.ShowsProgress)
            {
                session.Terminal.Error.Write($"\r{Counts.Of(report.Files, "file", "files")}, {Sizes.Format(report.Bytes)}\r");
                session.Terminal.Error.Flush();
            }
        }

        if (last?.Outcome is not { } outcome)
        {
            throw new ConsoleException($"The silo stopped before the backup was complete. What is in \"{folder}\" is not a backup.");
        }

        if (outcome.Problem is { } problem)
        {
            throw new ConsoleException(problem);
        }

        session.Tell(
            new
            {
                id = outcome.Id,
                at = outcome.At,
                host = outcome.Host,
                folder,
                files = last.Files,
                bytes = last.Bytes,
            },
            $"Backup {outcome.Id} of {outcome.At:u}: {Counts.Of(last.Files, "file", "files")}, {Sizes.Format(last.Bytes)}, in "
                + $"{folder} on {outcome.Host}.",
            outcome.Id
        );
        return ExitCode.Done;
    }
}
