using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using Grains.Interfaces.Logs;

namespace Client.Logs;

/// <summary>A part of a file, in bytes.</summary>
internal readonly record struct FilePart(long Offset, int Length);

/// <summary>
/// How far a file was sent: all before <see cref="Done"/> is stored, and the parts after it were sent and not answered yet. It is written before a part is sent, so whoever goes on sends the
/// same parts under the same ids, and the log knows what it has already.
/// </summary>
/// <param name="File">Full path.</param>
/// <param name="Beginning">A hash of the file's first bytes: another file of the same name is another file.</param>
/// <param name="BeginningLength">Of how many.</param>
/// <param name="Run">Made by chance when the file was met first: lines at the same place of the next file of this name are others, though they may read the same.</param>
internal sealed record SendState(string File, string Service, string Beginning, int BeginningLength, string Run, long Done, IReadOnlyList<FilePart> Sent)
{
    /// <summary>Bytes that tell a file from another.</summary>
    public const int MaxBeginning = 1024;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, IgnoreReadOnlyProperties = true };

    /// <summary>How far parts were sent, answered or not.</summary>
    public long End => Sent.Select(part => part.Offset + part.Length).Append(Done).Max();

    /// <summary>A file's first bytes, without moving in it; how many there were.</summary>
    public static int ReadBeginning(FileStream file, Span<byte> into) => RandomAccess.Read(file.SafeFileHandle, into[..Math.Min(into.Length, MaxBeginning)], fileOffset: 0);

    /// <summary>What a part of this file is recognised by.</summary>
    public LogRequestId Id(FilePart part)
    {
        var hash = new XxHash128();
        hash.Append(Encoding.UTF8.GetBytes($"{File}\n{Service}\n{Run}\n{part.Offset}\n{part.Length}"));
        var sum = hash.GetCurrentHashAsUInt128();
        return new((ulong)(sum >> 64), (ulong)sum);
    }

    /// <summary>The state that was kept of this file, or that of one that was never sent.</summary>
    /// <param name="beginning">The file's first bytes, up to <see cref="MaxBeginning"/>.</param>
    public static SendState Of(string folder, string file, string service, ReadOnlySpan<byte> beginning)
    {
        var kept = Read(Path.Combine(folder, Name(file, service)));
        return kept is not null && kept.IsOf(beginning) ? kept : Begin(file, service, beginning);
    }

    /// <summary>The state of a file of which nothing was sent.</summary>
    public static SendState Begin(string file, string service, ReadOnlySpan<byte> beginning) => new(file, service, Hash(beginning), beginning.Length, Guid.NewGuid().ToString("N"), 0, []);

    /// <summary>Whether a file that begins so is this one, which may have grown.</summary>
    public bool IsOf(ReadOnlySpan<byte> beginning) => BeginningLength <= beginning.Length && Beginning == Hash(beginning[..BeginningLength]);

    /// <summary>The same file, told from others by more of its first bytes: it was shorter before.</summary>
    public SendState KnownBy(ReadOnlySpan<byte> beginning) => this with { Beginning = Hash(beginning), BeginningLength = beginning.Length };

    /// <summary>Whole or not at all.</summary>
    public void Keep(string folder)
    {
        Directory.CreateDirectory(folder);
        var target = Path.Combine(folder, Name(File, Service));
        var aside = $"{target}.{Environment.ProcessId}.partial";
        System.IO.File.WriteAllBytes(aside, JsonSerializer.SerializeToUtf8Bytes(this, Json));
        System.IO.File.Move(aside, target, overwrite: true);
    }

    private static SendState? Read(string path)
    {
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
            throw new ConsoleException($"«{path}» says how far a file was sent, and cannot be read: {broken.Message} Remove it to send the file from its start.", cause: broken);
        }
    }

    private static string Name(string file, string service) => $"{Path.GetFileName(file)}.{Hash(Encoding.UTF8.GetBytes($"{file}\n{service}"))[..16]}.json";

    private static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(XxHash128.Hash(bytes));
}
