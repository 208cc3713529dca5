using System.Globalization;
using System.Threading.Channels;
using Grains.Interfaces.Logs;
using Grains.Logs.Records;

namespace Grains.Logs.Intake;

/// <summary>A record of a sender that lives in this process.</summary>
/// <param name="Attributes">A JSON object, or empty.</param>
public sealed record FedRecord(
    DateTimeOffset Time,
    byte Severity,
    string SeverityText,
    string Body,
    string Attributes,
    ReadOnlyMemory<byte> TraceId = default,
    ReadOnlyMemory<byte> SpanId = default
);

/// <summary>
/// Hands records of this process to the intake without making anybody wait: at most <see cref="Capacity"/> wait here; what is beyond is
/// left out, counted, and said in the log itself.
/// What was handed in and not stored is handed in again until it is.
/// </summary>
public sealed class LogFeeder
{
    /// <summary>Records that wait.</summary>
    public const int Capacity = 16_384;

    /// <summary>Records that are handed in together.</summary>
    public const int MaxTogether = 1024;

    /// <summary>How long a process that stops waits for what it has still to hand in.</summary>
    public static readonly TimeSpan LastWords = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Channel<FedRecord> _records;
    private readonly string _service;
    private readonly string _host;
    private readonly Func<ILogIntake> _intake;
    private readonly TimeProvider _clock;
    private readonly TimeProvider _guards;
    private long _leftOut;

    /// <param name="intake">Asked for when the first records are handed in: it may need what is not made yet when the first record
    /// comes.</param>
    /// <param name="guards">For how long one attempt may take.</param>
    public LogFeeder(string service, string host, Func<ILogIntake> intake, TimeProvider clock, TimeProvider guards)
    {
        _service = service;
        _host = host;
        _intake = intake;
        _clock = clock;
        _guards = guards;
        _records = Channel.CreateBounded<FedRecord>(
            new BoundedChannelOptions(Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite },
            _ => Interlocked.Increment(ref _leftOut)
        );
    }

    /// <summary>Takes a record; never waits.</summary>
    public void Add(FedRecord record) => _records.Writer.TryWrite(record);

    /// <summary>No more come; <see cref="Run"/> ends when what waits is handed in.</summary>
    public void Complete() => _records.Writer.TryComplete();

    /// <summary>Hands in what comes, until it is completed or cancelled.</summary>
    public async Task Run(CancellationToken stop)
    {
        using var builder = new LogBlockBuilder();
        while (await _records.Reader.WaitToReadAsync(stop))
        {
            var decoded = new Decoded();
            while (builder.Count < MaxTogether && _records.Reader.TryRead(out var record))
            {
                Write(builder, record);
            }

            if (Interlocked.Exchange(ref _leftOut, 0) is > 0 and var leftOut)
            {
                var sentence = string.Create(
                    CultureInfo.InvariantCulture,
                    $"{leftOut} records are left out here: they came faster than the log could take them."
                );
                Write(builder, new(_clock.GetUtcNow(), 13, "WARN", sentence, ""));
            }

            decoded.Received = builder.Count;
            await HandIn(builder, decoded, stop);
            builder.Clear();
        }
    }

    private async Task HandIn(LogBlockBuilder builder, Decoded decoded, CancellationToken stop)
    {
        var id = RequestIds.Random();
        var intake = _intake();
        while (true)
        {
            using (var ticket = intake.Admit(builder.Bytes))
            {
                if (
                    ticket is not null
                    && await intake.Accept(ticket, builder.Build(), decoded, id, _guards.GetUtcNow() + Patience, stop) == IntakeReply.Stored
                )
                {
                    return;
                }
            }

            await Task.Delay(TimeSpan.FromSeconds(1), _clock, stop);
        }
    }

    private void Write(LogBlockBuilder builder, FedRecord record)
    {
        var time = LogForm.Nanoseconds(record.Time);
        builder.Begin(time, time, record.Severity, record.TraceId.Span, record.SpanId.Span);
        foreach (var text in (ReadOnlySpan<string>)[record.SeverityText, _service, _host, "", record.Body, record.Attributes])
        {
            builder.AddText(text);
        }

        builder.End();
    }
}
