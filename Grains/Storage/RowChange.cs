namespace Grains.Storage;

public enum RowChangeKind
{
    /// <summary>The row must be absent.</summary>
    Insert,

    /// <summary>The row must be there with this etag.</summary>
    Replace,

    /// <summary>Whatever is there, or nothing.</summary>
    Put,

    /// <summary>With an etag it must match if the row is there; a row that is absent already is a success.</summary>
    Delete,
}

/// <summary>
/// One row's part in a commit. Make it with <see cref="Insert"/>, <see cref="Replace"/>, <see cref="Put"/> or <see cref="Delete"/>.
/// </summary>
public readonly record struct RowChange
{
    private RowChange(RowChangeKind kind, string key, ReadOnlyMemory<byte> payload, string? etag)
    {
        Kind = kind;
        Key = key;
        Payload = payload;
        ETag = etag;
    }

    public RowChangeKind Kind { get; }

    public string Key { get; }

    public ReadOnlyMemory<byte> Payload { get; }

    public string? ETag { get; }

    public static RowChange Insert(string key, ReadOnlyMemory<byte> payload) => new(RowChangeKind.Insert, key, payload, etag: null);

    public static RowChange Replace(string key, ReadOnlyMemory<byte> payload, string etag) =>
        new(RowChangeKind.Replace, key, payload, etag);

    public static RowChange Put(string key, ReadOnlyMemory<byte> payload) => new(RowChangeKind.Put, key, payload, etag: null);

    public static RowChange Delete(string key, string? etag = null) => new(RowChangeKind.Delete, key, ReadOnlyMemory<byte>.Empty, etag);
}
