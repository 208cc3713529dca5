using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Grains.Storage;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Silo.Storage;

/// <summary>
/// Grains' states as rows: one row a state, in one of <see cref="Partitions"/> partitions, under the hash of state name, grain type and
/// grain key.
/// </summary>
/// <remarks>
/// <para>A payload is a byte of version (1), the length of the text that was hashed (32 bits, little-endian), that text, and the state as
/// the serializer wrote it.
/// The text is compared when a state is read: two grains never meet in one row.</para>
/// <para>The serializer is Orleans' own, which is small and quick and knows members by their <c>[Id]</c>, the numbers that are never given
/// again:
/// a state that gains or loses members reads back what it still has.</para>
/// <para>An etag is the row's. A state that is cleared is deleted. A state of more than <see cref="StoreLimits.MaxPayloadBytes"/> is
/// refused.</para>
/// </remarks>
public sealed class TableGrainStorage(
    string name,
    string table,
    ITableStore store,
    IGrainStorageSerializer serializer,
    IActivatorProvider activators
) : IGrainStorage
{
    /// <summary>
    /// The states spread over so many partitions, by the first character of their hashes, for a cloud's store bounds what a partition
    /// takes.
    /// </summary>
    public const int Partitions = 64;

    private const byte Version = 1;
    private const int HeaderBytes = 1 + sizeof(int);

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ReadStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        var place = Place.Of(stateName, grainId);
        var row = await store.Get(table, place.Partition, place.Key, cancellationToken);
        if (row is null)
        {
            Reset(grainState);
            return;
        }

        grainState.State = Decode<T>(place, row) ?? Fresh<T>();
        grainState.ETag = row.ETag;
        grainState.RecordExists = true;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        WriteStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        var place = Place.Of(stateName, grainId);
        var payload = Encode(place, grainState.State);
        var change = grainState.ETag is { } etag ? RowChange.Replace(place.Key, payload, etag) : RowChange.Insert(place.Key, payload);
        var result = await store.Commit(table, place.Partition, [change], cancellationToken);
        await ThrowUnlessCommitted(result, place, grainState.ETag, cancellationToken);
        grainState.ETag = result.ETags[0];
        grainState.RecordExists = true;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ClearStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        var place = Place.Of(stateName, grainId);
        if (grainState.ETag is { } etag)
        {
            var result = await store.Commit(table, place.Partition, [RowChange.Delete(place.Key, etag)], cancellationToken);
            await ThrowUnlessCommitted(result, place, etag, cancellationToken);
        }
        else if (await store.Get(table, place.Partition, place.Key, cancellationToken) is { } row)
        {
            throw Inconsistent(place, row.ETag, grainState.ETag);
        }

        Reset(grainState);
    }

    private void Reset<T>(IGrainState<T> grainState)
    {
        grainState.State = Fresh<T>();
        grainState.ETag = null;
        grainState.RecordExists = false;
    }

    private T Fresh<T>() => activators.GetActivator<T>().Create();

    private async Task ThrowUnlessCommitted(CommitResult result, Place place, string? expected, CancellationToken cancel)
    {
        switch (result.Outcome)
        {
            case CommitOutcome.Committed:
                return;
            case CommitOutcome.Conflict:
                throw Inconsistent(place, (await store.Get(table, place.Partition, place.Key, cancel))?.ETag, expected);
            default:
                throw new OutcomeUnknownException(
                    $"Whether storage \"{name}\" wrote the state of {place} is not known: {result.Cause?.Message}",
                    result.Cause
                );
        }
    }

    private InconsistentStateException Inconsistent(Place place, string? stored, string? expected) =>
        new($"Storage \"{name}\" has another state of {place} than the grain read.", stored ?? "none", expected ?? "none");

    private ReadOnlyMemory<byte> Encode<T>(Place place, T state)
    {
        var data = serializer.Serialize(state).ToMemory();
        var text = Encoding.UTF8.GetByteCount(place.Text);
        var payload = new byte[HeaderBytes + text + data.Length];
        payload[0] = Version;
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(1), text);
        Encoding.UTF8.GetBytes(place.Text, payload.AsSpan(HeaderBytes));
        data.Span.CopyTo(payload.AsSpan(HeaderBytes + text));
        return payload;
    }

    private T? Decode<T>(Place place, TableRow row)
    {
        var payload = row.Payload;
        if (payload.Length < HeaderBytes || payload.Span[0] != Version)
        {
            throw new InvalidDataException(
                $"Storage \"{name}\" has no state of {place} in a form that this program knows (version {Version})."
            );
        }

        var text = BinaryPrimitives.ReadInt32LittleEndian(payload.Span[1..]);
        if (text < 0 || text > payload.Length - HeaderBytes || Encoding.UTF8.GetString(payload.Span.Slice(HeaderBytes, text)) != place.Text)
        {
            throw new InvalidDataException($"Storage \"{name}\" has the state of another grain where that of {place} should be.");
        }

        return serializer.Deserialize<T>(BinaryData.FromBytes(payload[(HeaderBytes + text)..]));
    }

    /// <summary>Where a state is.</summary>
    /// <param name="Text">State name, grain type and grain key, with lengths before the first two so that no two texts run
    /// together.</param>
    private readonly record struct Place(string Text, string Partition, string Key)
    {
        public static Place Of(string stateName, GrainId grainId)
        {
            var type = grainId.Type.ToString()!;
            var text = string.Create(CultureInfo.InvariantCulture, $"{stateName.Length}:{stateName}{type.Length}:{type}{grainId.Key}");
            var key = StoreLimits.HashKey(text);
            return new(text, $"states.{key[0]}", key);
        }

        public override string ToString() => Text;
    }
}
