using System.Globalization;

namespace Benchmarks.Orders;

/// <summary>Reads what the subscribers of a witness wrote down: when each change was durable at the last of them.</summary>
internal sealed class FinishLedger(string folder)
{
    private readonly Dictionary<string, long> _read = new(StringComparer.Ordinal);

    public string Folder => folder;

    /// <summary>What was written so far is of no interest.</summary>
    public async Task Skip() => await Read();

    /// <summary>
    /// Milliseconds from each change until the last subscriber was through with it, sorted; of what was written since the last time.
    /// </summary>
    public async Task<List<double>> Read() => [.. (await ReadByChange()).Values.Order()];

    /// <summary>The same, by order and version with a full stop between.</summary>
    public async Task<Dictionary<string, double>> ReadByChange()
    {
        await Task.Delay(100); // The last commit is written down right after it is durable.
        var finished = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var path in Directory.GetFiles(folder))
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            file.Position = _read.GetValueOrDefault(path);
            using var reader = new StreamReader(file);
            while (await reader.ReadLineAsync() is { } line)
            {
                if (line.Split(' ') is ["c", var order, var version, _, var at, var now])
                {
                    var took =
                        (long.Parse(now, CultureInfo.InvariantCulture) - long.Parse(at, CultureInfo.InvariantCulture))
                        / (double)TimeSpan.TicksPerMillisecond;
                    var key = $"{order}.{version}";
                    finished[key] = Math.Max(finished.GetValueOrDefault(key), took);
                }
            }

            _read[path] = file.Position;
        }

        return finished;
    }
}
