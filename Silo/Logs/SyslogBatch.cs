using Grains.Interfaces.Logs;
using Grains.Logs.Intake;
using Grains.Logs.Records;
using Grains.Logs.Syslog;

namespace Silo.Logs;

/// <summary>Messages of one connection, gathered for a moment and handed in together. Used by one at a time.</summary>
/// <param name="onAgain">Told what was thrown when what became of an attempt is not known.</param>
internal sealed class SyslogBatch(ILogIntake intake, TimeProvider clock, TimeProvider guards, int maxRecordBytes, Action<Exception> onAgain)
    : IDisposable
{
    public const int MaxRecords = 512;

    private const int MaxBytes = 4 * 1024 * 1024;

    public static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(50);

    /// <summary>How long one attempt to store may take.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(1);

    private readonly SyslogParser _parser = new();
    private readonly LogBlockBuilder _records = new();
    private Decoded _decoded = new();
    private LogRequestId _id = RequestIds.Random();
    private long _since;

    public int Count => _decoded.Received;

    public bool IsFull => Count >= MaxRecords || _records.Text.Length >= MaxBytes;

    /// <summary>Until it is time to hand in; not negative.</summary>
    public TimeSpan Left => Gather - clock.GetElapsedTime(_since) is { Ticks: > 0 } left ? left : TimeSpan.Zero;

    /// <summary>Adds a message. One that is larger than a record may be is cut.</summary>
    /// <param name="now">In the silo's zone.</param>
    /// <param name="sender">The address that it came from.</param>
    /// <param name="isCut">It is the beginning of a longer message.</param>
    /// <returns>Whether it was cut here.</returns>
    public bool Add(ReadOnlySpan<byte> message, DateTimeOffset now, ReadOnlySpan<byte> sender, bool isCut = false)
    {
        if (Count == 0)
        {
            _since = clock.GetTimestamp();
        }

        _decoded.Received++;
        var isTooLarge = message.Length > maxRecordBytes;
        _parser.Parse(isTooLarge ? message[..maxRecordBytes] : message, now, _records, sender, isCut || isTooLarge);
        return isTooLarge;
    }

    /// <summary>Tries until they are stored.</summary>
    /// <exception cref="OperationCanceledException">They are not, and nobody waits any longer.</exception>
    public async Task HandIn(CancellationToken cancel)
    {
        while (Count > 0 && !await TryHandIn(cancel))
        {
            await Task.Delay(TryAgainAfter, clock, cancel);
        }

        Clear();
    }

    /// <summary>
    /// One attempt; what was gathered stays. Under the same name as the last attempt, so that what was stored by it is not stored twice.
    /// </summary>
    public async Task<bool> TryHandIn(CancellationToken cancel)
    {
        using var ticket = intake.Admit(_records.Bytes);
        try
        {
            return ticket is not null
                && await intake.Accept(ticket, _records.Build(), _decoded, _id, guards.GetUtcNow() + Patience, cancel)
                    == IntakeReply.Stored;
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancel.IsCancellationRequested)
        {
            onAgain(failure);
            return false;
        }
    }

    public void Clear()
    {
        _records.Clear();
        _decoded = new();
        _id = RequestIds.Random();
    }

    public void Dispose()
    {
        _parser.Dispose();
        _records.Dispose();
    }
}
