using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Messaging;

namespace Silo.Storage;

/// <summary>The gateways that clients may use, read from the table of members: active silos with a gateway port.</summary>
public sealed class TableGateways(IMembershipTable members, IOptions<GatewayOptions> options) : IGatewayListProvider
{
    public TimeSpan MaxStaleness => options.Value.GatewayListRefreshPeriod;

    public bool IsUpdatable => true;

    public Task InitializeGatewayListProvider() => InitializeGatewayListProviderAsync(CancellationToken.None);

    /// <summary>Nothing is made here: a table that no silo has made is an error when it is read.</summary>
    public Task InitializeGatewayListProviderAsync(CancellationToken cancellationToken) =>
        members.InitializeMembershipTableAsync(tryInitTableVersion: false, cancellationToken);

    public Task<IList<Uri>> GetGateways() => GetGatewaysAsync(CancellationToken.None);

    public async Task<IList<Uri>> GetGatewaysAsync(CancellationToken cancellationToken)
    {
        var gateways = new List<Uri>();
        foreach (var (silo, _) in (await members.ReadAllAsync(cancellationToken)).Members)
        {
            if (silo.Status == SiloStatus.Active && silo.ProxyPort != 0)
            {
                gateways.Add(
                    SiloAddress.New(silo.SiloAddress.Endpoint.Address, silo.ProxyPort, silo.SiloAddress.Generation).ToGatewayUri()
                );
            }
        }

        return gateways;
    }
}
