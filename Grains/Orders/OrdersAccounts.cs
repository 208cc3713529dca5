using System.Collections.Immutable;
using Grains.Books;
using Grains.Interfaces.Books;
using Grains.Interfaces.Orders;
using Microsoft.Extensions.Options;

namespace Grains.Orders;

/// <summary>The orders' account: the sum over all partitions.</summary>
public sealed class OrdersAccounts(IGrainFactory grains, IOptions<OrdersOptions> options) : IAccountSource
{
    public async Task<ImmutableArray<Account>> Read(CancellationToken cancel)
    {
        var accounts = await Task.WhenAll(
            Enumerable.Range(0, options.Value.Partitions).Select(partition => grains.GetGrain<IOrderFeedGrain>(partition).Account(cancel))
        );
        return
        [
            accounts.Aggregate(
                (sum, account) =>
                    sum with
                    {
                        In = sum.In + account.In,
                        Done = sum.Done + account.Done,
                        Refused = sum.Refused.Plus(account.Refused),
                        Waiting = sum.Waiting + account.Waiting,
                        Bound = sum.Bound + account.Bound,
                    }
            ),
        ];
    }
}
