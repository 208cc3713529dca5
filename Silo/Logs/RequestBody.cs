using System.Buffers;
using System.IO.Compression;
using Grains.Logs.Intake;

namespace Silo.Logs;

/// <summary>Why a body was not read.</summary>
internal enum BodyFault
{
    None,

    /// <summary>More than a request may have, after decompression.</summary>
    TooLarge,

    /// <summary>There is no room for it now.</summary>
    Full,

    /// <summary>It is not what its Content-Encoding says.</summary>
    Broken,

    /// <summary>It came too slowly.</summary>
    Slow,
}

/// <summary>
/// A request's bytes after decompression, in rented memory that is admitted before it is filled. Dispose it when they are decoded.
/// </summary>
internal sealed class RequestBody : IDisposable
{
    /// <summary>Memory that is taken before anything came. It grows fourfold as it fills, whatever length was declared.</summary>
    private const int FirstRoom = 4 * 1024;

    private const int Growth = 4;

    private byte[] _bytes = [];

    public BodyFault Fault { get; private set; }

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    /// <summary>So many bytes are to be admitted before anything is read.</summary>
    /// <param name="length">That the sender told, compressed or not; null when it did not.</param>
    public static int FirstAdmission(long? length) => (int)Math.Min(length ?? FirstRoom, FirstRoom);

    /// <param name="wire">Is read to its end, not disposed.</param>
    /// <param name="ticket">Holds <see cref="FirstAdmission"/>; grows with the memory that is taken.</param>
    /// <param name="maxBytes">After decompression.</param>
    /// <param name="cancel">Ends it with <see cref="BodyFault.Slow"/>.</param>
    /// <exception cref="IOException">The wire broke.</exception>
    public static async ValueTask<RequestBody> Read(
        Stream wire,
        long? length,
        bool isGzip,
        Admission.Ticket ticket,
        int maxBytes,
        CancellationToken cancel
    )
    {
        var body = new RequestBody();
        try
        {
            if (isGzip)
            {
                await using var plain = new GZipStream(wire, CompressionMode.Decompress, leaveOpen: true);
                body.Fault = await body.Fill(plain, length: null, FirstAdmission(length), ticket, maxBytes, cancel);
            }
            else
            {
                body.Fault = await body.Fill(wire, length, FirstAdmission(length), ticket, maxBytes, cancel);
            }

            ticket.Arrived();
            ticket.Resize(body.Length);
        }
        catch (InvalidDataException)
        {
            body.Fault = BodyFault.Broken;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            body.Fault = BodyFault.Slow;
        }
        catch
        {
            body.Dispose();
            throw;
        }

        return body;
    }

    public void Dispose()
    {
        if (_bytes is not [])
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
            Length = 0;
        }
    }

    /// <summary>
    /// Reads to the end, and never more than one byte beyond <paramref name="maxBytes"/>: so a bomb costs what the limit costs.
    /// </summary>
    /// <param name="length">Of what is read, when it is known: memory does not grow beyond it while no more comes.</param>
    private async ValueTask<BodyFault> Fill(
        Stream from,
        long? length,
        int room,
        Admission.Ticket ticket,
        int maxBytes,
        CancellationToken cancel
    )
    {
        _bytes = ArrayPool<byte>.Shared.Rent(Math.Max(room, 1));
        var one = new byte[1];
        while (true)
        {
            if (Length < room)
            {
                var read = await from.ReadAsync(_bytes.AsMemory(Length, room - Length), cancel);
                if (read == 0)
                {
                    return BodyFault.None;
                }

                Length += read;
                continue;
            }

            // One byte more tells whether there is more.
            if (await from.ReadAsync(one, cancel) == 0)
            {
                return BodyFault.None;
            }

            if (room >= maxBytes)
            {
                return BodyFault.TooLarge;
            }

            var wider = (int)
                Math.Min(Math.Max(FirstRoom, (long)Growth * room), Math.Min(maxBytes, length > room ? length.Value : maxBytes));
            if (!ticket.Resize(wider))
            {
                return BodyFault.Full;
            }

            var larger = ArrayPool<byte>.Shared.Rent(wider);
            Bytes.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            (_bytes, room) = (larger, wider);
            _bytes[Length++] = one[0];
        }
    }
}
