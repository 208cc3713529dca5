using System.Collections.Immutable;

namespace Grains.Interfaces.Logs;

/// <summary>
/// One shard of the log: the only writer of its part of what is stored. It gathers requests, writes them as segments and acknowledges when
/// they are durable.
/// The key is the shard's number, from 0; a request always goes to the same shard (<see cref="LogRequestId.Shard"/>), so that a retry meets
/// its first attempt.
/// </summary>
[Alias("logs.ILogBatchGrain")]
public interface ILogBatchGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// Answers when what was written is in storage, or with the reason why it will not be. An exception means that the outcome is unknown:
    /// the same request may be sent again.
    /// </summary>
    [Alias("Write")]
    Task<WriteReply> Write(WriteLogs request, CancellationToken cancel = default);

    /// <summary>
    /// The answer to a request that is recognised by its bytes did not reach its sender: the next request of equal bytes is its repeat.
    /// Best effort: when this is lost, the repeat is
    /// stored as a request of its own.
    /// </summary>
    /// <param name="isStored">The request is durable. Otherwise it may still be in work here; when it is not, nothing is
    /// remembered.</param>
    [Alias("AnswerLost")]
    Task AnswerLost(LogRequestId id, bool isStored);

    /// <summary>The segments that hold the shard's records, or what changed since <paramref name="known"/>, for readers.</summary>
    [Alias("Manifest")]
    Task<ManifestDelta> Manifest(ManifestMark known, CancellationToken cancel = default);

    /// <summary>Counters, from what is committed, and what waits.</summary>
    [Alias("Show")]
    Task<LogShardState> Show(CancellationToken cancel = default);

    /// <summary>What was received and what became of it, by hour of arrival and service, within these hours; both ends included.</summary>
    [Alias("Counts")]
    Task<ImmutableArray<LogCount>> Counts(DateTimeOffset from, DateTimeOffset to, CancellationToken cancel = default);

    /// <summary>
    /// Merges, folds and removes what is due, and wakes after a crash. Called by timers and at start-up; a test calls it too.
    /// </summary>
    [Alias("Tend")]
    Task Tend(CancellationToken cancel = default);
}

/// <summary>What a request is recognised by when it comes again: a name that its sender gave it, or its bytes.</summary>
/// <param name="Attempt">
/// 0 for a name: whatever comes under it is the same request. Otherwise the two numbers are a hash of the bytes, which other requests may
/// have too, and this is a number of this one
/// transmission: equal bytes are a repeat only when the answer to an earlier transmission is known to be lost.
/// </param>
[GenerateSerializer, Immutable, Alias("logs.LogRequestId")]
public readonly record struct LogRequestId([property: Id(0)] ulong High, [property: Id(1)] ulong Low, [property: Id(2)] ulong Attempt = 0)
{
    /// <summary>Recognised by its bytes alone.</summary>
    public bool IsOfBytes => Attempt != 0;

    /// <summary>From 0 to <paramref name="shards"/> − 1.</summary>
    public int Shard(int shards) => (int)(Low % (ulong)shards);
}

/// <summary>Records that arrived together: all of them are stored, or none.</summary>
/// <param name="Deadline">After this the sender has given up: it is not begun any more.</param>
/// <param name="Parts">By retention class; may be empty when rules let nothing through.</param>
/// <param name="Counts">What was received and what became of it, by service.</param>
[GenerateSerializer, Immutable, Alias("logs.WriteLogs")]
public sealed record WriteLogs(
    [property: Id(0)] LogRequestId Id,
    [property: Id(1)] DateTimeOffset Deadline,
    [property: Id(2)] ImmutableArray<LogPart> Parts,
    [property: Id(3)] ImmutableArray<ServiceCount> Counts
);

/// <summary>Records that are kept equally long.</summary>
/// <param name="Class">Name of a retention class: 1 to 32 of <c>[a-z0-9-]</c>.</param>
[GenerateSerializer, Immutable, Alias("logs.LogPart")]
public sealed record LogPart([property: Id(0)] string Class, [property: Id(1)] LogBlock Block);

/// <summary>
/// What was received of one service, counted when decoded, and what became of it: <c>received = stored + filtered + sampled + repeated +
/// refused</c>.
/// </summary>
[GenerateSerializer, Immutable, Alias("logs.ServiceCount")]
public sealed record ServiceCount(
    [property: Id(0)] string Service,
    [property: Id(1)] long Received,
    [property: Id(2)] long Stored,
    [property: Id(3)] long Filtered,
    [property: Id(4)] long Sampled,
    [property: Id(5)] long Repeated,
    [property: Id(6)] ImmutableSortedDictionary<string, long> Refused
)
{
    public bool Balances => Received == Stored + Filtered + Sampled + Repeated + Refused.Values.Sum();
}

/// <summary>A service's count of one hour of arrival (UTC).</summary>
[GenerateSerializer, Immutable, Alias("logs.LogCount")]
public sealed record LogCount([property: Id(0)] DateTimeOffset Hour, [property: Id(1)] ServiceCount Count);

[GenerateSerializer, Alias("logs.WriteReply")]
public enum WriteReply
{
    /// <summary>It is in storage.</summary>
    Stored,

    /// <summary>It was in storage already: the same request came before.</summary>
    Repeated,

    /// <summary>The shard's buffer is full: come again in a second. Nothing of it is kept.</summary>
    Full,

    /// <summary>Storage refused or failed: come again in a second. Nothing of it is acknowledged.</summary>
    Unavailable,

    /// <summary>It came after its deadline. Nothing of it is kept.</summary>
    Late,
}

/// <summary>How far a reader knows a shard's manifest. The default knows nothing.</summary>
[GenerateSerializer, Immutable, Alias("logs.ManifestMark")]
public readonly record struct ManifestMark([property: Id(0)] long Epoch, [property: Id(1)] long Revision);

/// <summary>What changed in a shard's manifest.</summary>
/// <param name="IsWhole">The reader's mark is too old or another activation's: forget everything, this is all there is.</param>
[GenerateSerializer, Immutable, Alias("logs.ManifestDelta")]
public sealed record ManifestDelta(
    [property: Id(0)] ManifestMark Now,
    [property: Id(1)] bool IsWhole,
    [property: Id(2)] ImmutableArray<LogSegment> Added,
    [property: Id(3)] ImmutableArray<string> Removed
);

/// <summary>One immutable object of records, in Parquet.</summary>
/// <param name="Name">Of the object in the blob store.</param>
/// <param name="Arrived">The hour of arrival of all of its records.</param>
/// <param name="MinTime">Of its records, nanoseconds since 1970.</param>
/// <param name="RawBytes">Of its records before they were compressed, as <see cref="LogBlock"/> counts them.</param>
/// <param name="Services">Those that it holds records of; empty when there are more than <see cref="MaxServices"/>.</param>
/// <param name="Traces">A filter of the trace ids in it (see <c>TraceFilter</c>); empty when there is none: it may hold any.</param>
[GenerateSerializer, Immutable, Alias("logs.LogSegment")]
public sealed record LogSegment(
    [property: Id(0)] string Name,
    [property: Id(1)] string Class,
    [property: Id(2)] DateTimeOffset Arrived,
    [property: Id(3)] DateTimeOffset Written,
    [property: Id(4)] ulong MinTime,
    [property: Id(5)] ulong MaxTime,
    [property: Id(6)] int Records,
    [property: Id(7)] long Bytes,
    [property: Id(8)] long RawBytes,
    [property: Id(9)] bool IsMerged,
    [property: Id(10)] ImmutableArray<string> Services,
    [property: Id(11)] ReadOnlyMemory<byte> Traces
)
{
    public const int MaxServices = 64;
}

/// <summary>A shard as it stands.</summary>
/// <param name="Total">Of everything that ever came, from the committed head.</param>
/// <param name="WaitingRecords">Taken in and neither stored nor refused yet; counted apart from <paramref name="Total"/>.</param>
[GenerateSerializer, Immutable, Alias("logs.LogShardState")]
public sealed record LogShardState(
    [property: Id(0)] ServiceCount Total,
    [property: Id(1)] long WaitingRecords,
    [property: Id(2)] long WaitingBytes,
    [property: Id(3)] int Segments,
    [property: Id(4)] long SegmentBytes,
    [property: Id(5)] long RawBytes,
    [property: Id(6)] long Records,
    [property: Id(7)] DateTimeOffset? OldestArrived
)
{
    /// <summary>
    /// Names of segments and of rows that cannot be read, the first <see cref="QueryEnd.MaxUnreadableNames"/>; default from a silo of an
    /// earlier version.
    /// </summary>
    [Id(8)]
    public ImmutableArray<string> UnreadableSegments { get; init; } = [];

    /// <summary>How many there are.</summary>
    [Id(9)]
    public int Unreadable { get; init; }

    /// <summary><see cref="UnreadableSegments"/>, never default.</summary>
    public ImmutableArray<string> UnreadableNames() => UnreadableSegments.IsDefault ? [] : UnreadableSegments;
}
