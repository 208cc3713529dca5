using System.Buffers;
using System.Security.Cryptography;

namespace Silo.Storage.Backup;

/// <summary>Copies files and says what was copied.</summary>
internal static class CopiedFile
{
    private const int BufferBytes = 256 * 1024;

    /// <summary>
    /// Copies a file to a name that is free, on the disk when it returns; its size and SHA-256 are those of the bytes that were written.
    /// </summary>
    public static (long Bytes, string Sha256) Copy(string from, string to, CancellationToken cancel)
    {
        using var source = new FileStream(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
        using var target = new FileStream(to, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1);
        var copied = Read(source, target, cancel);
        target.Flush(flushToDisk: true);
        return copied;
    }

    /// <summary>The size and SHA-256 of a file.</summary>
    public static (long Bytes, string Sha256) Measure(string path, CancellationToken cancel)
    {
        using var source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 1);
        return Read(source, Stream.Null, cancel);
    }

    private static (long Bytes, string Sha256) Read(Stream source, Stream target, CancellationToken cancel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var bytes = 0L;
            while (source.Read(buffer, 0, BufferBytes) is var read and > 0)
            {
                cancel.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, read);
                target.Write(buffer, 0, read);
                bytes += read;
            }

            return (bytes, Convert.ToHexStringLower(hash.GetHashAndReset()));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
