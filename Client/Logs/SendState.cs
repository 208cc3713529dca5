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
internal sealed record SendState(string File, string Service, string Beginning, int BeginningLength, long Done, IReadOnlyList<FilePart> Sent)
{
    /// <summary>Bytes that tell a file from another.</summary>
    public const int MaxBeginning = 1024;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>What a part of this file is recognised by.</summary>
    public LogRequestId Id(FilePart part)
    {
        var hash = new XxHash128();
        hash.Append(Encoding.UTF8.GetBytes($"{File}\n{Service}\n{Beginning}\n{part.Offset}\n{part.Length}"));
        var sum = hash.GetCurrentHashAsUInt128();
        return new((ulong)(sum >> 64), (ulong)sum);
    }

    /// <summary>The state that was kept of this file, or that of one that was never sent.</summary>
    /// <param name="beginning">The file's first bytes, up to <see cref="MaxBeginning"/>.</param>
    public static SendState Of(string folder, string file, string service, ReadOnlySpan<byte> beginning)
    {
        var kept = Read(Path.Combine(folder, Name(file, service)));
        return kept is not null && kept.BeginningLength <= beginning.Length && kept.Beginning == Hash(beginning[..kept.BeginningLength])
            ? kept
            : new(file, service, Hash(beginning), beginning.Length, 0, []);
    }

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
            return JsonSerializer.Deserialize<SendState>(System.IO.File.ReadAllBytes(path), Json);
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
