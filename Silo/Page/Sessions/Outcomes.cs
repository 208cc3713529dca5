using System.Collections.Immutable;

namespace Silo.Page.Sessions;

/// <summary>What came of an action, with the console's command for the same.</summary>
public sealed record Outcome(string Label, string Command, ActionResult Result);

/// <summary>
/// What came of a viewer's last actions, <see cref="Max"/> at most, the newest first. It outlives the button that was pressed: a view goes
/// on, a row goes away, and a step of an order is no button any more once it was taken. Used on the circuit's own thread.
/// </summary>
public sealed class Outcomes
{
    public const int Max = 3;

    public ImmutableArray<Outcome> All { get; private set; } = [];

    /// <summary>After <see cref="All"/> changed.</summary>
    public event Action? Changed;

    /// <summary>Shows it in place of an earlier one of the same action.</summary>
    public void Add(Outcome outcome) =>
        Set([outcome, .. All.Where(other => other.Label != outcome.Label || other.Command != outcome.Command).Take(Max - 1)]);

    public void Remove(Outcome outcome) => Set(All.Remove(outcome));

    private void Set(ImmutableArray<Outcome> all)
    {
        All = all;
        Changed?.Invoke();
    }
}
