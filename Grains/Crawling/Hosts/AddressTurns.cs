using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Hosts;

/// <summary>
/// Takes a host's turns at its server's address and gives them back: <see cref="AddressGate"/> says when. Not thread-safe: it belongs to a
/// grain and runs on its scheduler.
/// </summary>
/// <param name="addresses">Looks up the address of a host; null: it has none.</param>
/// <param name="failed">Told when the address did not answer: it is asked again.</param>
internal sealed class AddressTurns(
    HostKey host,
    AddressGate gate,
    Func<HostKey, CancellationToken, Task<string?>> addresses,
    Func<string, IAddressGrain> grains,
    TimeProvider clock,
    Action<string?, Exception> failed
)
{
    /// <summary>For so long an address is taken to be the host's.</summary>
    private static readonly TimeSpan LookUpAgainAfter = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(5);

    private DateTimeOffset _lookedUp = DateTimeOffset.MinValue;

    /// <summary>Asks for the turn.</summary>
    /// <param name="delay">Between two requests to the address.</param>
    /// <param name="lease">The longest time from the beginning of a request to its end.</param>
    public async Task Take(TimeSpan delay, TimeSpan lease, CancellationToken cancel)
    {
        gate.Ask();
        try
        {
            var address = gate.Address;
            if (address is null || clock.GetUtcNow() - _lookedUp >= LookUpAgainAfter)
            {
                address = await addresses(host, cancel);
                _lookedUp = clock.GetUtcNow();
            }

            var turn = address is null ? default : await grains(address).Take(host, delay, AddressTurn.Patience + lease, cancel);
            var now = clock.GetUtcNow();
            gate.Answered(address, turn, now, now + AddressTurn.Patience);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            gate.Settled(clock.GetUtcNow() + AskAgainAfter);
            failed(gate.Address, e);
        }
    }

    /// <summary>Gives a turn back: its request has ended, or none was made. If that fails, it ends by its time.</summary>
    public async Task GiveBack(long turn, CancellationToken cancel)
    {
        gate.GiveBack();
        try
        {
            await grains(gate.Address!).GiveBack(host, turn, cancel);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            failed(gate.Address, e);
        }

        gate.Settled(clock.GetUtcNow());
    }
}
