using Doubles;
using Grains.Interfaces.Orders;

namespace Unit.Client;

/// <summary>A watch that answers one page after the other; after the last it waits for ever.</summary>
internal sealed class OrderWatchInMemory : IOrderWatchGrain
{
    private int _answered;

    public List<Func<WatchPage>> Pages { get; } = [];

    public List<WatchRead> Reads { get; } = [];

    /// <summary>Called when there is nothing more to answer.</summary>
    public Action OnEnd { get; set; } = () => { };

    public async Task<WatchPage> Read(WatchRead read, CancellationToken cancel = default)
    {
        Reads.Add(read);
        if (_answered < Pages.Count)
        {
            return Pages[_answered++]();
        }

        OnEnd();
        await new Gate().Pass(cancel);
        throw new InvalidOperationException("It does not end.");
    }
}
