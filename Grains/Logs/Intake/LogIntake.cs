using Grains.Interfaces.Logs;
using Grains.Logs.Records;
using Grains.Logs.Rules;
using Grains.Logs.Shards;
using Microsoft.Extensions.Logging;

namespace Grains.Logs.Intake;

/// <summary>Hands what doors decoded to the shard that it belongs to, and says when it is durable.</summary>
public sealed partial class LogIntake(
    Admission admission,
    CurrentRules rules,
    LogShardSet shards,
    TimeProvider clock,
    ILogger<LogIntake> logger
) : ILogIntake
{
    public Admission.Ticket? Admit(long bytes, Action? evict) => admission.Admit(bytes, evict);

    public async Task<IntakeReply> Accept(
        Admission.Ticket ticket,
        LogBlock block,
        Decoded decoded,
        LogRequestId id,
        DateTimeOffset deadline,
        CancellationToken cancel
    )
    {
        var counts = ReceivedCounts.Of(block, decoded);
        if (counts.IsEmpty)
        {
            return IntakeReply.Stored; // An empty request succeeds, and there is nothing to count.
        }

        if (!ticket.Resize(block.Bytes.Length) || !ticket.Name(ReceivedCounts.Loudest(counts)))
        {
            LogBlockBuilder.Return(block);
            return IntakeReply.Full;
        }

        var isHandedOver = false;
        try
        {
            var outcome = (await rules.Now(cancel)).Apply(block, counts, clock.GetUtcNow());
            var writing = shards.Of(id).Write(new(id, deadline, outcome.Parts, outcome.Counts), cancel);
            isHandedOver = true;
            var reply = await writing;

            // The shard has written them, or has let go of them.
            foreach (var part in outcome.Parts.Where(part => part.Block != block))
            {
                LogBlockBuilder.Return(part.Block);
            }

            LogBlockBuilder.Return(block);
            return reply switch
            {
                WriteReply.Stored or WriteReply.Repeated => IntakeReply.Stored,
                WriteReply.Full => IntakeReply.Full,
                _ => IntakeReply.Unavailable,
            };
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // What became of it nobody knows yet: the sender comes again, and the shard knows the request if it has a name; without one it
            // may be stored twice, and is not lost.
            LogUnknown(e);
            return IntakeReply.Unavailable;
        }
        catch (OperationCanceledException) when (isHandedOver && id.IsOfBytes && cancel.IsCancellationRequested)
        {
            logger.Observe(shards.Of(id).AnswerLost(id, isStored: false)); // Nobody is left to wait for it.
            throw;
        }
    }

    public void AnswerLost(LogRequestId id)
    {
        if (id.IsOfBytes)
        {
            logger.Observe(shards.Of(id).AnswerLost(id, isStored: true));
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What became of a request is not known; its sender is told to come again")]
    private partial void LogUnknown(Exception exception);
}
