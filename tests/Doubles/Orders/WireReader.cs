using System.Text;

namespace Doubles.Orders;

/// <summary>
/// Reads lines and bodies from a connection, in pieces as they come: a call of the system for each byte would be the slowest part of what
/// is measured.
/// </summary>
internal sealed class WireReader(Stream stream)
{
    private const int MaxLine = 64 * 1024;

    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _from;
    private int _to;

    /// <summary>Without its end, a character for each byte; null when the other side has gone.</summary>
    /// <exception cref="IOException">The line has no end.</exception>
    public async ValueTask<string?> Line(CancellationToken cancel)
    {
        StringBuilder? begun = null;
        while (true)
        {
            var end = _buffer.AsSpan(_from, _to - _from).IndexOf((byte)'\n');
            var piece = Encoding.Latin1.GetString(_buffer, _from, end < 0 ? _to - _from : end);
            _from = end < 0 ? _to : _from + end + 1;
            if (end >= 0)
            {
                return (begun is null ? piece : begun.Append(piece).ToString()).TrimEnd('\r');
            }

            begun = (begun ?? new()).Append(piece);
            if (begun.Length > MaxLine)
            {
                throw new IOException($"A line has more than {MaxLine} bytes.");
            }

            if (!await Fill(cancel))
            {
                return null;
            }
        }
    }

    /// <summary>The next byte, which stays there; null when the other side has gone.</summary>
    public async ValueTask<byte?> Peek(CancellationToken cancel) => _from < _to || await Fill(cancel) ? _buffer[_from] : null;

    public async ValueTask Whole(Memory<byte> body, CancellationToken cancel)
    {
        var here = Math.Min(body.Length, _to - _from);
        _buffer.AsSpan(_from, here).CopyTo(body.Span);
        _from += here;
        await stream.ReadExactlyAsync(body[here..], cancel);
    }

    /// <summary>Reads on until the other side has gone.</summary>
    public async ValueTask Drain(CancellationToken cancel)
    {
        while (await Fill(cancel)) { }
    }

    private async ValueTask<bool> Fill(CancellationToken cancel)
    {
        _from = 0;
        _to = await stream.ReadAsync(_buffer, cancel);
        return _to > 0;
    }
}
