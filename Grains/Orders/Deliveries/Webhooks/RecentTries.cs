using System.Collections.Immutable;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>
/// What an endpoint's last requests came to, for people who look at it: whether each of the last <see cref="MaxTries"/> was taken, and the
/// last <see cref="MaxShown"/> in words. In memory only, and without the answers' bodies, which may be personal.
/// </summary>
public sealed class RecentTries
{
    public const int MaxTries = 100;

    public const int MaxShown = 10;

    private readonly Queue<bool> _tries = [];

    /// <summary>How many there are.</summary>
    public int Count => _tries.Count;

    /// <summary>How many of them were taken.</summary>
    public int Delivered { get; private set; }

    /// <summary>The newest first.</summary>
    public ImmutableArray<WebhookTry> Shown { get; private set; } = [];

    public void Add(DateTimeOffset at, WebhookOutcome outcome)
    {
        if (_tries.Count == MaxTries)
        {
            Delivered -= _tries.Dequeue() ? 1 : 0;
        }

        var delivered = outcome.Verdict == WebhookVerdict.Delivered;
        _tries.Enqueue(delivered);
        Delivered += delivered ? 1 : 0;
        Shown = [new(at, delivered, outcome.Reason, outcome.Detail), .. Shown.Take(MaxShown - 1)];
    }
}
