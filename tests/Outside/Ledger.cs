using System.Collections.Concurrent;
using System.Globalization;
using Doubles.Orders;

namespace Outside;

/// <summary>Writes down each effect, a line each, before it is answered for; and counts them by id.</summary>
internal sealed class Ledger(string path) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly StreamWriter _file = new(
        new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite),
        bufferSize: 64 * 1024
    );
    private readonly ConcurrentDictionary<string, Tally> _tallies = new(StringComparer.Ordinal);

    /// <summary>How often this id came here, with this time.</summary>
    public int Count(string place, string id) => _tallies.GetOrAdd(place, _ => new()).Add(id);

    public void Write(OutsideEffect effect)
    {
        if (effect.Signature is not ("-" or "Good"))
        {
            Interlocked.Increment(ref _tallies.GetOrAdd(effect.To, _ => new()).Wrong);
        }

        lock (_gate)
        {
            _file.Write(effect.ToString());
            _file.Write('\n');
        }
    }

    /// <summary>All that was written is in the file.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            _file.Flush();
        }
    }

    public IReadOnlyDictionary<string, OutsideCount> Counts() =>
        _tallies.ToDictionary(
            tally => tally.Key,
            tally => new OutsideCount(
                tally.Value.Ids.Values.Sum(count => (long)count),
                tally.Value.Ids.Count,
                Interlocked.Read(ref tally.Value.Wrong)
            ),
            StringComparer.Ordinal
        );

    public IReadOnlyDictionary<string, int> Ids(string place) =>
        _tallies.TryGetValue(place, out var tally) ? tally.Ids : new Dictionary<string, int>();

    public void Dispose() => _file.Dispose();

    public static string Status(int status) => status.ToString(CultureInfo.InvariantCulture);

    private sealed class Tally
    {
        public long Wrong;

        public ConcurrentDictionary<string, int> Ids { get; } = new(StringComparer.Ordinal);

        public int Add(string id) => Ids.AddOrUpdate(id, 1, (_, before) => before + 1);
    }
}
