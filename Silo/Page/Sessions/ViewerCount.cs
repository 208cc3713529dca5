using System.Globalization;
using Microsoft.AspNetCore.Components.Server.Circuits;

namespace Silo.Page.Sessions;

/// <summary>
/// How many circuits this process has, those whose browser is gone for less than <see cref="Retention"/> included: <see cref="Max"/> at
/// most.
/// </summary>
internal sealed class ViewerCount
{
    public const int Max = 200;

    /// <summary>So long a circuit waits for a browser whose connection broke.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromMinutes(2);

    private int _open;

    public int Open => Volatile.Read(ref _open);

    public bool IsFull => Open >= Max;

    public string Full { get; } =
        string.Create(
            CultureInfo.InvariantCulture,
            $"All {Max} places for viewers of this silo are taken, so this page shows what was true when it was loaded. Load it "
                + $"again later, or open it at another silo."
        );

    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _open) <= Max)
        {
            return true;
        }

        Interlocked.Decrement(ref _open);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _open);
}

/// <summary>Counts one circuit while it lives.</summary>
internal sealed class CountedCircuit(ViewerCount viewers) : CircuitHandler
{
    private bool _counted;

    /// <exception cref="InvalidOperationException">There are as many as may be: the circuit is not opened.</exception>
    public override Task OnCircuitOpenedAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        _counted = viewers.TryEnter();
        return _counted ? Task.CompletedTask : throw new InvalidOperationException(viewers.Full);
    }

    public override Task OnCircuitClosedAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        if (_counted)
        {
            _counted = false;
            viewers.Leave();
        }

        return Task.CompletedTask;
    }
}
