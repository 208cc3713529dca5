using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using Xunit;

[assembly: AssemblyFixture(typeof(Unit.NoSockets))]

namespace Unit;

/// <summary>
/// Fails the run when anything in it, the classes under test included, connects or accepts a connection over a real socket:
/// BannedSymbols.Unit.txt keeps the tests' own code from
/// it, and this what they call.
/// </summary>
public sealed class NoSockets : IDisposable
{
    private readonly Listener _listener = new();

    public void Dispose()
    {
        _listener.Dispose();
        Assert.Empty(_listener.Seen);
    }

    private sealed class Listener : EventListener
    {
        public ConcurrentBag<string> Seen { get; } = [];

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "System.Net.Sockets")
            {
                EnableEvents(eventSource, EventLevel.Informational);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            // Named pipes, by which the runner is told what to do, are sockets too on Unix, of another family.
            if (
                eventData is { EventName: "ConnectStart" or "AcceptStart", Payload: [string address, ..] }
                && address.StartsWith("InterNetwork", StringComparison.Ordinal)
            )
            {
                Seen.Add($"{eventData.EventName} {address}");
            }
        }
    }
}
