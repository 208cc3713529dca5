using System.Buffers.Binary;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Batching;

/// <summary>Requests of the last while, to know them when they come again: those that wait, with the batch that holds them, and those that are durable.</summary>
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
        foreach (var request in batch.Requests)
        {
            _known[request.Id] = null;
        }
    }

    /// <summary>The batch was not stored: its requests never came.</summary>
    public void Failed(Batch batch)
    {
        foreach (var request in batch.Requests)
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

    public static byte[] Ids(Batch batch)
    {
        var ids = new byte[16 * batch.Requests.Count];
        for (var index = 0; index < batch.Requests.Count; index++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(ids.AsSpan(16 * index), batch.Requests[index].Id.High);
            BinaryPrimitives.WriteUInt64BigEndian(ids.AsSpan((16 * index) + 8), batch.Requests[index].Id.Low);
        }

        return ids;
    }

    private static LogRequestId Read(ReadOnlySpan<byte> id) => new(BinaryPrimitives.ReadUInt64BigEndian(id), BinaryPrimitives.ReadUInt64BigEndian(id[8..]));
}
