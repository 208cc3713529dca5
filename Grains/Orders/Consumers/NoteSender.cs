using Grains.Interfaces.Orders;
using Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Grains.Orders.Consumers;

/// <summary>Tells the audit what a subscriber has kept for it. It is told again after a crash, and knows by the numbers.</summary>
/// <param name="audit">Records notes; null: there is no audit.</param>
/// <param name="told">Called when some were told: the subscriber may have stood for them.</param>
internal sealed partial class NoteSender(
    SubscriberPartition partition,
    ISubscriberGrain? audit,
    Action told,
    Action<PartitionLostException> lost,
    ILogger logger,
    CancellationToken stop
)
{
    private bool _isTelling;

    /// <summary>All that there are. One at a time: a second call does nothing, for the first looks again before it ends.</summary>
    public async Task Send()
    {
        if (_isTelling || !partition.HasNotes || audit is null)
        {
            return;
        }

        _isTelling = true;
        try
        {
            while (partition.HasNotes && await partition.NextNotes() is { Length: > 0 } notes)
            {
                await audit.Record(partition.Key.ToString(), notes, stop);
                await partition.DropNotes(notes);
                told();
            }
        }
        catch (PartitionLostException failure) when (partition.Writer.Lost is not null)
        {
            lost(failure);
        }
        catch (Exception e)
        {
            LogNotTold(partition.Key, e); // The next wake-up tells it again.
        }
        finally
        {
            _isTelling = false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Subscriber {Key}: the audit was not told what happened, and will be told again")]
    private partial void LogNotTold(SubscriberKey key, Exception exception);
}
