using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.IO.Compression;
using Grains.Net;

namespace Grains.Crawling.Pages;

/// <param name="Bytes">Decompressed, at most the limit.</param>
/// <param name="Truncated">There was more, or should have been.</param>
/// <param name="Error">What was wrong with the compression, or that the wire broke before the body's end; null when nothing was.</param>
/// <param name="WireBytes">How many bytes were read before decompression.</param>
internal readonly record struct Body(byte[] Bytes, bool Truncated, string? Error, long WireBytes)
{
    /// <summary>The encodings are undone, or there are none.</summary>
    public bool IsDecoded { get; init; } = true;

    /// <summary>The wire broke.</summary>
    public bool IsCutOff { get; init; }
}

/// <summary>
/// Reads a body up to a limit, and never more than one byte beyond it: neither from the wire nor out of a decompressor. So a bomb costs
/// what the limit costs.
/// </summary>
internal static class BoundedBody
{
    /// <summary>Compressions one over another; more are not undone.</summary>
    public const int MaxEncodings = 3;

    /// <summary>
    /// So much more than the limit may come over the wire compressed: well compressed or not, bytes that yield nothing end there.
    /// </summary>
    public const int WireSlack = 64 * 1024;

    private const int FirstRoom = 16 * 1024;

    /// <param name="wire">Is read, not disposed.</param>
    /// <param name="encodings">Values of Content-Encoding, in the order in which they were applied (RFC 9110 §8.4).</param>
    /// <param name="limit">In bytes, at least 1.</param>
    /// <param name="cancel">Ends it with an OperationCanceledException.</param>
    /// <exception cref="HttpIOException">
    /// What came is no HTTP from the first byte of the body on. A wire that breaks later leaves what came before.
    /// </exception>
    public static async Task<Body> Read(Stream wire, ImmutableArray<string> encodings, int limit, CancellationToken cancel)
    {
        var names = Names(encodings);
        if (names.Count == 0)
        {
            await using var plain = new CountingStream(wire, (long)limit + 1);
            var (bytes, truncated, _) = await ReadUpTo(plain, limit, mayBeMalformed: false, cancel).ConfigureAwait(false);
            return new(bytes, truncated || plain.Broken is not null, EndedEarly(plain), plain.Count)
            {
                IsCutOff = plain.Broken is not null,
            };
        }

        await using var counted = new CountingStream(wire, (long)limit + WireSlack);
        if (names.Count > MaxEncodings || names.Exists(name => name is not ("gzip" or "deflate" or "br")))
        {
            var (raw, _, _) = await ReadUpTo(counted, limit, mayBeMalformed: false, cancel).ConfigureAwait(false);
            return new(
                raw,
                Truncated: true,
                $"Content-Encoding \"{string.Join(", ", names)}\" was not asked for and is not understood: gzip, deflate and br are.",
                counted.Count
            )
            {
                IsDecoded = false,
            };
        }

        Stream decoded = counted;
        for (var i = names.Count - 1; i >= 0; i--)
        {
            decoded = await Decoder(decoded, names[i], cancel).ConfigureAwait(false);
        }

        await using (decoded)
        {
            var (bytes, truncated, error) = await ReadUpTo(decoded, limit, mayBeMalformed: true, cancel).ConfigureAwait(false);
            var sentence = EndedEarly(counted)
                ?? (error is null ? null : $"The body is not what Content-Encoding \"{string.Join(", ", names)}\" says: {error}");
            return new(bytes, truncated || counted.Ended || counted.Broken is not null, sentence, counted.Count)
            {
                IsCutOff = counted.Broken is not null,
            };
        }
    }

    private static string? EndedEarly(CountingStream wire) =>
        wire.Broken is { } broken
            ? string.Create(CultureInfo.InvariantCulture, $"The body ended early, after {wire.Count} bytes: {broken.Message}")
            : null;

    private static List<string> Names(ImmutableArray<string> encodings)
    {
        var names = new List<string>();
        foreach (
            var part in encodings.SelectMany(value =>
                value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            )
        )
        {
            var name = part.ToLowerInvariant();
            if (name != "identity")
            {
                names.Add(name == "x-gzip" ? "gzip" : name);
            }
        }

        return names;
    }

    private static async Task<Stream> Decoder(Stream from, string name, CancellationToken cancel) =>
        name switch
        {
            "gzip" => new GZipStream(from, CompressionMode.Decompress),
            "br" => new BrotliStream(from, CompressionMode.Decompress),
            _ => await Deflate(from, cancel).ConfigureAwait(false),
        };

    // By the standard "deflate" is zlib (RFC 9110 §8.4.1.2); some servers send it bare. A zlib header is a multiple of 31 (RFC 1950 §2.2).
    private static async Task<Stream> Deflate(Stream from, CancellationToken cancel)
    {
        var head = new byte[2];
        int length;
        try
        {
            length = await from.ReadAtLeastAsync(head, 2, throwOnEndOfStream: false, cancel).ConfigureAwait(false);
        }
        catch (InvalidDataException)
        {
            // What lies above is no compression either: reading on says so.
            length = 0;
        }

        var whole = new PrefixedStream(head.AsMemory(0, length), from);
        var zlib = length == 2 && (head[0] & 0x0F) == 8 && (head[0] << 8 | head[1]) % 31 == 0;
        return zlib ? new ZLibStream(whole, CompressionMode.Decompress) : new DeflateStream(whole, CompressionMode.Decompress);
    }

    private static async Task<(byte[] Bytes, bool Truncated, string? Error)> ReadUpTo(
        Stream stream,
        int limit,
        bool mayBeMalformed,
        CancellationToken cancel
    )
    {
        // One byte beyond the limit tells whether there is more.
        var most = limit + 1;
        var room = ArrayPool<byte>.Shared.Rent(Math.Min(FirstRoom, most));
        var length = 0;
        try
        {
            while (length < most)
            {
                if (length == room.Length)
                {
                    var wider = ArrayPool<byte>.Shared.Rent((int)Math.Min((long)room.Length * 2, most));
                    room.AsSpan(0, length).CopyTo(wider);
                    ArrayPool<byte>.Shared.Return(room);
                    room = wider;
                }

                int read;
                try
                {
                    read = await stream
                        .ReadAsync(room.AsMemory(length, Math.Min(room.Length, most) - length), cancel)
                        .ConfigureAwait(false);
                }
                catch (Exception exception)
                    when (mayBeMalformed
                        && !cancel.IsCancellationRequested
                        && exception is InvalidDataException or InvalidOperationException
                    )
                {
                    return (room.AsSpan(0, length).ToArray(), Truncated: true, exception.Message);
                }

                if (read == 0)
                {
                    break;
                }

                length += read;
            }

            return (room.AsSpan(0, Math.Min(length, limit)).ToArray(), length > limit, null);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(room);
        }
    }

    /// <summary>Counts what is read, and ends at a bound, or where the wire breaks.</summary>
    private sealed class CountingStream(Stream inner, long most) : ReadingStream
    {
        public long Count { get; private set; }

        /// <summary>The bound was met; more may have been there.</summary>
        public bool Ended { get; private set; }

        /// <summary>Why the wire broke; null while it did not.</summary>
        public IOException? Broken { get; private set; }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Count == most)
            {
                Ended = true;
                return 0;
            }

            if (Broken is not null)
            {
                return 0;
            }

            try
            {
                var read = await inner
                    .ReadAsync(buffer[..(int)Math.Min(buffer.Length, most - Count)], cancellationToken)
                    .ConfigureAwait(false);
                Count += read;
                return read;
            }
            catch (IOException broken)
                when (!cancellationToken.IsCancellationRequested
                    && !(Count == 0 && broken is HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse })
                )
            {
                Broken = broken;
                return 0;
            }
        }
    }

    private sealed class PrefixedStream(ReadOnlyMemory<byte> prefix, Stream inner) : ReadingStream
    {
        private ReadOnlyMemory<byte> _prefix = prefix;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_prefix.IsEmpty)
            {
                return inner.ReadAsync(buffer, cancellationToken);
            }

            var length = Math.Min(buffer.Length, _prefix.Length);
            _prefix[..length].CopyTo(buffer);
            _prefix = _prefix[length..];
            return ValueTask.FromResult(length);
        }
    }
}
