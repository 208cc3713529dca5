using Grains.Interfaces.Crawling;
using Microsoft.Extensions.DependencyInjection;

namespace Grains.Crawling;

/// <summary>One address: <see cref="AddressPace"/> says whose turn it is; who has it is stored before the host hears of it.</summary>
[GrainType("address")]
public sealed class AddressGrain(
    [PersistentState("address", AddressPace.Storage)] IPersistentState<AddressPace> state,
    TimeProvider clock,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards
) : Grain, IAddressGrain
{
    public async Task<AddressTurn> Take(HostKey host, TimeSpan delay, TimeSpan hold, CancellationToken cancel)
    {
        var turn = state.State.Take(host, delay, hold, new(clock.GetUtcNow(), guards.GetUtcNow()));
        if (turn.Number == 0)
        {
            return turn;
        }

        try
        {
            await state.WriteStateAsync(cancel);
        }
        catch
        {
            DeactivateOnIdle();
            throw;
        }

        return turn;
    }

    /// <summary>Not stored: whoever comes after a crash waits for the end of the turn by its time.</summary>
    public Task GiveBack(HostKey host, long turn, CancellationToken cancel)
    {
        state.State.GiveBack(host, turn, clock.GetUtcNow());
        return Task.CompletedTask;
    }
}
