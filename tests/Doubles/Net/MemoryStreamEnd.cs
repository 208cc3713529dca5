using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Doubles.Net;

/// <summary>
/// One end of a connection in memory, with the manners of TCP. Each direction holds <see cref="Buffered"/> bytes; then whoever writes waits
/// until the other end reads.
/// </summary>
/// <remarks>
/// Closed (<see cref="Stream.Dispose()"/>), the other end reads what was written and then the end, and is told of a reset when it writes
/// on. Reset, the other end's reads and writes
/// fail at once with a <see cref="SocketException"/> (<see cref="SocketError.ConnectionReset"/>) within an <see cref="IOException"/>, and
/// what it had not read is lost.
/// </remarks>
internal sealed class MemoryStreamEnd : Stream
{
    /// <summary>Bytes under way in one direction: about what a small socket buffer takes.</summary>
    public const int Buffered = 64 * 1024;

    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly CancellationTokenSource _otherGone = new();
    private MemoryStreamEnd _other = null!;
    private int _closed;

    private MemoryStreamEnd(Pipe input, Pipe output) => (_input, _output) = (input, output);

    /// <summary>The two ends of a new connection.</summary>
    public static (MemoryStreamEnd Near, MemoryStreamEnd Far) Pair()
    {
        var options = new PipeOptions(
            pauseWriterThreshold: Buffered,
            resumeWriterThreshold: Buffered / 2,
            useSynchronizationContext: false
        );
        var (there, back) = (new Pipe(options), new Pipe(options));
        var (near, far) = (new MemoryStreamEnd(back, there), new MemoryStreamEnd(there, back));
        (near._other, far._other) = (far, near);
        return (near, far);
    }

    /// <summary>This end without the stream around it, for a server that reads and writes pipes.</summary>
    public IDuplexPipe Transport => new Pipes(_input.Reader, _output.Writer);

    /// <summary>The other end has closed, half closed or reset.</summary>
    public CancellationToken OtherGone => _otherGone.Token;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            var result = await _input.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (result.IsCanceled)
            {
                throw Aborted();
            }

            // With no room it is only waited for something to come.
            var count = (int)Math.Min(buffer.Length, result.Buffer.Length);
            var piece = result.Buffer.Slice(0, count);
            System.Buffers.BuffersExtensions.CopyTo(piece, buffer.Span);
            _input.Reader.AdvanceTo(piece.End);
            return count;
        }
        catch (InvalidOperationException) when (Volatile.Read(ref _closed) != 0)
        {
            throw Aborted();
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            while (!buffer.IsEmpty)
            {
                var piece = buffer[..Math.Min(buffer.Length, Buffered / 4)];
                var result = await _output.Writer.WriteAsync(piece, cancellationToken).ConfigureAwait(false);
                if (result.IsCanceled)
                {
                    throw Aborted();
                }

                if (result.IsCompleted)
                {
                    throw WasReset();
                }

                buffer = buffer[piece.Length..];
            }
        }
        catch (InvalidOperationException) when (Volatile.Read(ref _closed) != 0)
        {
            throw Aborted();
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer, offset, count, default).GetAwaiter().GetResult();

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer, offset, count, default).GetAwaiter().GetResult();

    public override void Flush()
    {
        // What is written is under way.
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Half closes.</summary>
    public void CloseWrites()
    {
        _output.Writer.Complete();
        _other.Told();
    }

    public void Reset() => Close(WasReset());

    protected override void Dispose(bool disposing)
    {
        Close(reset: null);
        base.Dispose(disposing);
    }

    private static ConnectionResetException WasReset() =>
        new("The connection was reset by the other end.", new SocketException((int)SocketError.ConnectionReset));

    private static IOException Aborted() => new("The connection is closed.", new SocketException((int)SocketError.OperationAborted));

    private void Close(Exception? reset)
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
        {
            return;
        }

        _input.Reader.CancelPendingRead();
        _output.Writer.CancelPendingFlush();
        _output.Writer.Complete(reset);
        _input.Reader.Complete(reset);
        _other.Told();
    }

    private void Told() => _ = _otherGone.CancelAsync();

    private sealed record Pipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
