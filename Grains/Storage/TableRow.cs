namespace Grains.Storage;

/// <summary>A stored row. <paramref name="ETag"/> is opaque, differs after every write of the row, and is never used again.</summary>
public sealed record TableRow(string Key, ReadOnlyMemory<byte> Payload, string ETag);
