namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>
/// How many requests an endpoint has in flight at most: the bulkhead, so that a slow one holds few connections, and the slow start, so that
/// one that returns is
/// not met by all that waits. Opens by one with each success (it doubles with each round), closes to one when the endpoint does not answer,
/// fails or throttles.
/// </summary>
/// <remarks>For one thread at a time.</remarks>
public sealed class EndpointWindow
{
    private readonly int _most;

    public EndpointWindow(int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        _most = most;
    }

    public int Limit { get; private set; } = 1;

    public int InFlight { get; private set; }

    /// <summary>Takes a place, or answers that there is none; each place that was taken is given back by <see cref="Leave"/>.</summary>
    public bool TryEnter()
    {
        if (InFlight >= Limit)
        {
            return false;
        }

        InFlight++;
        return true;
    }

    public void Leave(WebhookOutcome outcome)
    {
        if (InFlight == 0)
        {
            throw new InvalidOperationException("A place was given back that nobody had taken.");
        }

        InFlight--;
        if (outcome.Verdict == WebhookVerdict.Delivered)
        {
            Limit = Math.Min(_most, Limit + 1);
        }
        else if (EndpointBreaker.IsDown(outcome))
        {
            Close();
        }
    }

    /// <summary>Back to one: the endpoint was enabled, or its circuit closed.</summary>
    public void Close() => Limit = 1;
}
