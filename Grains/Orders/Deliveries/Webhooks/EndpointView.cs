using Grains.Interfaces.Orders;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>An endpoint as it is shown: its row, and what this silo knows of its requests.</summary>
internal static class EndpointView
{
    public static WebhookEndpoint Of(string id, EndpointState state, EndpointGate gate, RecentTries recent, DateTimeOffset now) =>
        new(
            id,
            state.ShownUrl,
            state.Events,
            state.IsEnabled,
            state.DisabledBecause,
            state.FailingSince,
            state.Failures,
            OldSecretUntil(state, now),
            gate.Circuit switch
            {
                EndpointCircuit.Closed => "closed",
                EndpointCircuit.Open => "open",
                _ => "half-open",
            },
            gate.Rate,
            gate.InFlight,
            gate.Window,
            gate.InLine,
            [.. state.History.Select(note => new WebhookNote(note.At, note.Text))]
        )
        {
            PausedSince = state.PausedSince,
            PerSecond = state.PerSecond,
            Grace = state.Grace ?? EndpointState.Overlap,
            Untold = state.Untold.Length,
            Dropped = state.Dropped,
            Tries = recent.Count,
            Delivered = recent.Delivered,
            LastTries = recent.Shown,
        };

    /// <summary>Until when messages are signed with the old secret, too; null: they are not.</summary>
    public static DateTimeOffset? OldSecretUntil(EndpointState state, DateTimeOffset now) =>
        state.Secrets(now).Length > 1 ? state.OldSecretUntil : null;
}
