using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using Grains.Interfaces.Logs;

namespace Client.Logs;

/// <summary>A part of a file, in bytes.</summary>
internal readonly record struct FilePart(long Offset, int Length)
{
    public long End => Offset + Length;
}

/// <summary>
/// How far a file was sent: all before <see cref="Done"/> is stored, and the parts after it were sent and not answered yet. It is written
/// before a part is sent, so whoever goes on sends the
/// same parts under the same ids, and the log knows what it has already.
/// </summary>
/// <param name="File">Full path of the name under which it is sent, whatever a rotation names it afterwards.</param>
/// <param name="Beginning">A hash of the file's first bytes: another file of the same name is another file.</param>
/// <param name="BeginningLength">Of how many.</param>
/// <param name="Run">Made by chance when the file was met first: lines at the same place of the next file of this name are others, though
/// they may read the same.</param>
internal sealed record SendState(
    string File,
    string Service,
    string Beginning,
    int BeginningLength,
    string Run,
    long Done,
    IReadOnlyList<FilePart> Sent
)
{
    /// <summary>Bytes that tell a file from another, at its beginning and before <see cref="Done"/>.</summary>
    public const int MaxMark = 1024;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        IgnoreReadOnlyProperties = true,
    };

    /// <summary>A hash of the bytes before <see cref="Done"/>: a file that was cut and written anew may begin as it did before.</summary>
    public string Ending { get; init; } = "";

    /// <summary>Of how many; 0 in states of a version that did not keep it.</summary>
    public int EndingLength { get; init; }

    /// <summary>
    /// What the system tells the file by, where it does: it decides between files that begin alike. Null: it is not known.
    /// </summary>
    public string? FileId { get; init; }

    /// <summary>When the last part was read: what the file has beyond it was written later. Null: it is not known.</summary>
    public DateTimeOffset? ReadAt { get; init; }

    /// <summary>Where the last line begins, when it had no end: it is sent again, whole, once it has grown. Null: it had one.</summary>
    public long? OpenLine { get; init; }

    /// <summary>How far parts were sent, answered or not.</summary>
    public long End => Sent.Select(part => part.End).Append(Done).Max();

    /// <summary>What a part of this file is recognised by.</summary>
    public LogRequestId Id(FilePart part)
    {
        var hash = new XxHash128();
        hash.Append(Encoding.UTF8.GetBytes($"{File}\n{Service}\n{Run}\n{part.Offset}\n{part.Length}"));
        var sum = hash.GetCurrentHashAsUInt128();
        return new((ulong)(sum >> 64), (ulong)sum);
    }

    /// <summary>The state that was kept of a name; null when nothing was sent under it.</summary>
    public static SendState? Of(string folder, string file, string service)
    {
        var path = Path.Combine(folder, Name(file, service));
        try
        {
            return JsonSerializer.Deserialize<SendState>(System.IO.File.ReadAllBytes(path), Json) is { Run: not null } kept ? kept : null;
        }
        catch (Exception none) when (none is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException broken)
        {
            throw new ConsoleException(
                $"\"{path}\" says how far a file was sent, and cannot be read: {broken.Message} Remove it to send the file from its start.",
                cause: broken
            );
        }
    }

    /// <summary>The state of a file of which nothing was sent.</summary>
    public static SendState Begin(string file, string service) => new(file, service, Hash([]), 0, Guid.NewGuid().ToString("N"), 0, []);

    /// <summary>Whether a file that begins so is this one, which may have grown.</summary>
    public bool IsOf(ReadOnlySpan<byte> beginning) =>
        BeginningLength <= beginning.Length && Beginning == Hash(beginning[..BeginningLength]);

    /// <summary>The same, told from others by these first bytes.</summary>
    public SendState BeginsWith(ReadOnlySpan<byte> beginning) =>
        this with
        {
            Beginning = Hash(beginning),
            BeginningLength = beginning.Length,
        };

    /// <summary>Whole or not at all.</summary>
    /// <exception cref="ConsoleException">It cannot be kept.</exception>
    public void Keep(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var target = Path.Combine(folder, Name(File, Service));
            var aside = $"{target}.{Environment.ProcessId}.partial";
            System.IO.File.WriteAllBytes(aside, JsonSerializer.SerializeToUtf8Bytes(this, Json));
            System.IO.File.Move(aside, target, overwrite: true);
        }
        catch (Exception reason) when (reason is IOException or UnauthorizedAccessException)
        {
            throw new ConsoleException(
                $"How far \"{File}\" was sent cannot be kept in \"{folder}\" (--state names another folder): {reason.Message}",
                cause: reason
            );
        }
    }

    public static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(XxHash128.Hash(bytes));

    private static string Name(string file, string service) =>
        $"{Path.GetFileName(file)}.{Hash(Encoding.UTF8.GetBytes($"{file}\n{service}"))[..16]}.json";
}
