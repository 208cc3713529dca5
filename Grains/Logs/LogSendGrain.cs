using Grains.Interfaces.Logs;
using Grains.Logs.Intake;
using Grains.Logs.Ndjson;
using Grains.Logs.Records;
using Grains.Logs.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;

namespace Grains.Logs;

/// <summary>Decodes lines that the console sends and hands them to the intake: the same way in as every door's.</summary>
[StatelessWorker]
[GrainType("logsend")]
public sealed class LogSendGrain(
    ILogIntake intake,
    IOptions<LogsOptions> options,
    TimeProvider clock,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards
) : Grain, ILogSendGrain
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public async Task<SendReply> Send(SendLines lines, CancellationToken cancel)
    {
        using var ticket = intake.Admit(lines.Bytes.Length);
        if (ticket is null)
        {
            return new(SendOutcome.Full, 0, 0, []);
        }

        using var builder = new LogBlockBuilder();
        var decoded = Decode(lines, LogForm.Nanoseconds(clock.GetUtcNow()), builder);
        var reply = await intake.Accept(ticket, builder.Build(), decoded, lines.Id, guards.GetUtcNow() + Patience, cancel);
        return reply switch
        {
            IntakeReply.Stored => new(
                SendOutcome.Stored,
                decoded.Received - decoded.Refused,
                decoded.Refused,
                [.. decoded.Faults.Select(fault => new LineFault(fault.Place, fault.Sentence))]
            ),
            IntakeReply.Full => new(SendOutcome.Full, 0, 0, []),
            _ => new(SendOutcome.Unavailable, 0, 0, []),
        };
    }

    private Decoded Decode(SendLines lines, ulong now, LogBlockBuilder builder)
    {
        var limits = new DecodeLimits(options.Value.MaxRecordBytes);
        var zone = TimeZoneInfo.TryFindSystemTimeZoneById(lines.Zone, out var found) ? found : TimeZoneInfo.Utc;
        if (lines.Format == LineFormat.Ndjson)
        {
            using var decoder = new NdjsonDecoder(limits, lines.Service, zone);
            return decoder.Decode(lines.Bytes.Span, now, builder);
        }

        return new LineDecoder(limits, lines.Service, lines.Host, lines.FileName, zone, lines.IsMultiline).Decode(
            lines.Bytes.Span,
            now,
            builder
        );
    }
}
