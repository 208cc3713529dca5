using System.Buffers.Binary;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Batching;

/// <summary>
/// Named requests of the last while, to know them when they come again: those that wait, with the batch that holds them, and those that are
/// durable.
/// Those without a name are in <see cref="UnnamedRequests"/>.
/// </summary>
/// <remarks>48 bytes or so a request. Not thread-safe.</remarks>
public sealed class KnownRequests
{
    private readonly Dictionary<LogRequestId, Batch?> _known = [];

    public int Count => _known.Count;

    /// <param name="waiting">The batch that it waits in; null when it is durable.</param>
    public bool Contains(LogRequestId id, out Batch? waiting) => _known.TryGetValue(id, out waiting);

    public void Waits(LogRequestId id, Batch batch) => _known[id] = batch;

    /// <summary>The batch was stored, and its requests are known from now on.</summary>
    public void Stored(Batch batch)
    {
        foreach (var request in Named(batch))
        {
            _known[request.Id] = null;
        }
    }

    /// <summary>The batch was not stored: its requests never came.</summary>
    public void Failed(Batch batch)
    {
        foreach (var request in Named(batch))
        {
            _known.Remove(request.Id);
        }
    }

    public void Restore(ReadOnlySpan<byte> ids)
    {
        for (; !ids.IsEmpty; ids = ids[16..])
        {
            _known[Read(ids)] = null;
        }
    }

    public void Forget(ReadOnlySpan<byte> ids)
    {
        for (; !ids.IsEmpty; ids = ids[16..])
        {
            if (_known.TryGetValue(Read(ids), out var waiting) && waiting is null)
            {
                _known.Remove(Read(ids));
            }
        }
    }

    /// <summary>
    /// The names of a batch's requests, 16 bytes each, as a row keeps them. Requests without a name are not in it: they are not remembered
    /// across a crash.
    /// </summary>
    public static byte[] Ids(Batch batch)
    {
        var ids = new byte[16 * Named(batch).Count()];
        var rest = ids.AsSpan();
        foreach (var request in Named(batch))
        {
            BinaryPrimitives.WriteUInt64BigEndian(rest, request.Id.High);
            BinaryPrimitives.WriteUInt64BigEndian(rest[8..], request.Id.Low);
            rest = rest[16..];
        }

        return ids;
    }

    private static IEnumerable<WriteLogs> Named(Batch batch) => batch.Requests.Where(request => !request.Id.IsOfBytes);

    private static LogRequestId Read(ReadOnlySpan<byte> id) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(id), BinaryPrimitives.ReadUInt64BigEndian(id[8..]));
}
