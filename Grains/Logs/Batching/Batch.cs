using System.Collections.Immutable;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Batching;

/// <summary>Requests that will be durable together, or not at all.</summary>
public sealed class Batch(DateTimeOffset since)
{
    /// <summary>Requests in one batch: their ids share a row.</summary>
    public const int MaxRequests = 16_384;

    private readonly List<WriteLogs> _requests = [];
    private readonly TaskCompletionSource<WriteReply> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>When the first request came.</summary>
    public DateTimeOffset Since => since;

    public IReadOnlyList<WriteLogs> Requests => _requests;

    public long Bytes { get; private set; }

    public long Records { get; private set; }

    /// <summary>Received records, which may be more than those to be stored.</summary>
    public long Received { get; private set; }

    public Tally Tally { get; } = new();

    /// <summary>Completes for all of its requests at once.</summary>
    public Task<WriteReply> Done => _done.Task;

    public bool IsEmpty => _requests.Count == 0 && Tally.IsEmpty;

    public void Add(WriteLogs request)
    {
        _requests.Add(request);
        foreach (var part in request.Parts)
        {
            Bytes += part.Block.Bytes.Length;
            Records += part.Block.Count;
        }

        Received += request.Counts.Sum(count => count.Received);
        Tally.Add(request.Counts);
    }

    /// <summary>The blocks of each retention class, in the order in which they came.</summary>
    public IEnumerable<(string Class, ImmutableArray<LogBlock> Blocks)> ByClass() =>
        from request in _requests
        from part in request.Parts
        where part.Block.Count > 0
        group part.Block by part.Class into blocks
        select (blocks.Key, blocks.ToImmutableArray());

    public void Complete(WriteReply reply) => _done.TrySetResult(reply);

    public void Fail(Exception why) => _done.TrySetException(why);
}
