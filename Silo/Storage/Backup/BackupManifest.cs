using System.Collections.Immutable;
using System.Text.Json;
using Silo.StartUp;

namespace Silo.Storage.Backup;

/// <summary>
/// What belongs to one backup: every file with its size and SHA-256. It is written last, so a folder without it is no complete backup.
/// </summary>
/// <param name="Form">The form of the manifest itself, <see cref="CurrentForm"/>.</param>
/// <param name="Id">Different for each backup.</param>
/// <param name="Cluster">The id of the cluster whose data it is.</param>
/// <param name="DataVersion">The version of the data (<see cref="DataFormat.VersionOn"/>).</param>
/// <param name="Silo">The version of the silo that wrote it.</param>
/// <param name="At">The moment of all rows in it, UTC.</param>
/// <param name="Files">In order of their paths.</param>
internal sealed record BackupManifest(
    int Form,
    string Id,
    string Cluster,
    int DataVersion,
    string Silo,
    DateTimeOffset At,
    ImmutableArray<BackupFile> Files
)
{
    public const int CurrentForm = 1;

    public const string FileName = "backup.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Writes the manifest into a backup's folder, on the disk when it returns.</summary>
    public void Write(string folder)
    {
        // Under another name first: a manifest that is there is whole.
        var unfinished = Path.Combine(folder, FileName + ".part");
        using (var stream = new FileStream(unfinished, FileMode.CreateNew, FileAccess.Write))
        {
            JsonSerializer.Serialize(stream, this, Json);
            stream.Flush(flushToDisk: true);
        }

        File.Move(unfinished, Path.Combine(folder, FileName));
        OperatingSystemCalls.FlushFolder(folder);
    }

    /// <exception cref="BackupRefusedException">There is none, or it cannot be read.</exception>
    public static BackupManifest Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            using var stream = File.OpenRead(path);
            var manifest = JsonSerializer.Deserialize<BackupManifest>(stream, Json) ?? throw new JsonException("It is null.");
            if (manifest.Form > CurrentForm)
            {
                throw new BackupRefusedException(
                    $"\"{path}\" has form {manifest.Form}, and this silo, {About.Version}, reads up to {CurrentForm}: use a newer silo."
                );
            }

            if (manifest.Files.IsDefaultOrEmpty || manifest.Files.Any(file => !file.IsInside))
            {
                throw new JsonException("Its list of files is not one of a backup.");
            }

            return manifest;
        }
        catch (Exception none) when (none is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BackupRefusedException(
                $"\"{folder}\" is not a complete backup: it has no {FileName}, which is written last. Use another backup.",
                none
            );
        }
        catch (Exception unreadable) when (unreadable is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new BackupRefusedException($"\"{path}\" cannot be read: {unreadable.Message}", unreadable);
        }
    }
}

/// <param name="Path">Below the backup's folder, with slashes.</param>
/// <param name="Sha256">In lower-case hexadecimal.</param>
internal readonly record struct BackupFile(string Path, long Bytes, string Sha256)
{
    /// <summary>Whether the path stays below the backup's folder.</summary>
    public bool IsInside => Path is { Length: > 0 } && !System.IO.Path.IsPathRooted(Path) && !Path.Split('/', '\\').Contains("..");

    /// <summary>The file's place below a folder.</summary>
    public string Below(string folder) => System.IO.Path.Combine(folder, Path.Replace('/', System.IO.Path.DirectorySeparatorChar));
}

/// <summary>A backup cannot be made or cannot be restored; the message is a sentence for people.</summary>
public sealed class BackupRefusedException : Exception
{
    public BackupRefusedException(string message)
        : base(message) { }

    public BackupRefusedException(string message, Exception cause)
        : base(message, cause) { }
}
