using Grains.Logs.Intake;
using Grains.Net;

namespace Silo.Logs;

/// <summary>
/// A body as it comes over the wire, which has to come at a least speed: <see cref="LeastBytes"/> in each <see cref="Window"/>, and all of
/// it within <see cref="LogIngestEndpoint.BodyPatience"/>.
/// When it does not, <see cref="TooSlow"/> is cancelled.
/// </summary>
/// <remarks>Reads asynchronously only. Does not dispose what it reads from.</remarks>
internal sealed class PacedStream : ReadingStream
{
    /// <summary>2 KiB a second: a sender of text on the slowest of networks is faster.</summary>
    public const int LeastBytes = 10 * 1024;

    public static readonly TimeSpan Window = TimeSpan.FromSeconds(5);

    private readonly Stream _wire;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _tooSlow;
    private readonly long _began;
    private int _came;

    public PacedStream(Stream wire, TimeProvider clock)
    {
        _wire = wire;
        _clock = clock;
        _began = clock.GetTimestamp();
        _tooSlow = new(Window, clock);
    }

    /// <summary>It came too slowly, or <see cref="GiveUp"/> was called.</summary>
    public CancellationToken TooSlow => _tooSlow.Token;

    /// <summary>Told of each <see cref="LeastBytes"/> that came in time.</summary>
    public Admission.Ticket? Ticket { get; set; }

    /// <summary>Ends the reading as if the body came too slowly. Any thread; also when the reading is over.</summary>
    public void GiveUp()
    {
        try
        {
            _tooSlow.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The reading ended a moment ago.
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await _wire.ReadAsync(buffer, cancellationToken);
        _came += read;
        if (_came >= LeastBytes)
        {
            _came = 0;
            Ticket?.Progressed();
            var left = LogIngestEndpoint.BodyPatience - _clock.GetElapsedTime(_began);
            _tooSlow.CancelAfter(
                left < TimeSpan.Zero ? TimeSpan.Zero
                : left < Window ? left
                : Window
            );
        }

        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _tooSlow.Dispose();
        }

        base.Dispose(disposing);
    }
}
