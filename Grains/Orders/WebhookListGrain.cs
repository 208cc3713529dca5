using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Deliveries.Webhooks;
using Grains.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grains.Orders;

/// <summary>
/// Adds and removes endpoints. Each is a row, and a subscriber that every partition's feed has listed; in between a crash leaves one
/// without the other, which <see cref="Wake"/> puts right.
/// </summary>
[GrainType("webhooklist")]
public sealed partial class WebhookListGrain(
    ITableStore store,
    IOptions<WebhooksOptions> options,
    IOptions<OrdersOptions> orders,
    TimeProvider clock,
    ILogger<WebhookListGrain> logger
) : Grain, IWebhookListGrain
{
    /// <summary>What ended halfway, before this activation or in it, is finished.</summary>
    private bool _isWhole;

    private EndpointSubscriptions _subscriptions = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _subscriptions = new(
            orders.Value.Partitions,
            partition => GrainFactory.GetGrain<IOrderFeedGrain>(partition),
            key => GrainFactory.GetGrain<ISubscriberGrain>(key.ToString())
        );
        return Task.CompletedTask;
    }

    public async Task<WebhookAdded> Add(AddWebhook asked, CancellationToken cancel)
    {
        if (!WebhookUrl.TryParse(asked.Url, options.Value.AllowHttp, options.Value.Ranges, out var url, out var error))
        {
            return Refused(WebhookRefusal.Url, error);
        }

        var events = WebhookEvents.InFull(asked.Events.IsDefault ? [] : asked.Events);
        if (WebhookEvents.Fault(events) is { } fault)
        {
            return Refused(WebhookRefusal.Events, fault);
        }

        var secret = WebhookSecret.New();
        if (asked.Secret is not null && !WebhookSecret.TryParse(asked.Secret, out secret, out error))
        {
            return Refused(WebhookRefusal.Secret, error);
        }

        if ((await Ids(cancel)).Length >= IWebhookListGrain.MaxEndpoints)
        {
            return Refused(
                WebhookRefusal.Full,
                $"There are {IWebhookListGrain.MaxEndpoints} endpoints, and no more can be; remove one that is not needed."
            );
        }

        var id = WebhookId.New();
        var wasWhole = _isWhole;
        _isWhole = false;
        await EndpointTable.Insert(store, id, EndpointState.New(url, events, secret, clock.GetUtcNow()), cancel);
        await _subscriptions.Add(id, cancel);
        _isWhole = wasWhole;
        var endpoint = await Endpoint(id).Show(cancel)
            ?? throw new InvalidOperationException($"Endpoint {id} was removed while it was added.");
        LogAdded(id, endpoint.Url);
        return new(endpoint, secret.Text, WebhookRefusal.None, Error: null);
    }

    public async Task<ImmutableArray<WebhookEndpoint>> List(CancellationToken cancel) =>
        [.. (await Task.WhenAll((await Ids(cancel)).Select(id => Endpoint(id).Show(cancel)))).OfType<WebhookEndpoint>()];

    public async Task<WebhookEdited> Edit(string id, EditWebhook change, CancellationToken cancel)
    {
        if (!WebhookId.IsOne(id))
        {
            return new(Endpoint: null);
        }

        var edited = await Endpoint(id).Edit(change, cancel);
        if (edited.Endpoint is not null)
        {
            // Each subscriber reads the events that are asked for once: from when this answers, all go by the new ones.
            await _subscriptions.Reload(id, cancel);
        }

        return edited;
    }

    public async Task<bool> Remove(string id, CancellationToken cancel)
    {
        if (!WebhookId.IsOne(id))
        {
            return false;
        }

        // The row first: nothing goes out any more, and nothing brings back what is taken away after.
        var wasWhole = _isWhole;
        _isWhole = false;
        var wasThere = await Endpoint(id).Remove(cancel);
        var wasListed = await _subscriptions.Has(id, cancel);
        if (wasThere || wasListed)
        {
            await _subscriptions.Remove(id, cancel);
        }

        _isWhole = wasWhole;
        return wasThere || wasListed;
    }

    public async Task Wake(CancellationToken cancel)
    {
        foreach (var row in await Rows(cancel))
        {
            if (!EndpointTable.Read(row).Untold.IsEmpty)
            {
                await Endpoint(row.Key).Announce();
            }
        }

        if (!_isWhole)
        {
            foreach (var id in await _subscriptions.Finish(() => Ids(cancel), cancel))
            {
                LogRegistered(id);
            }

            _isWhole = true;
        }
    }

    private static WebhookAdded Refused(WebhookRefusal refusal, string error) => new(Endpoint: null, Secret: null, refusal, error);

    private async Task<ImmutableArray<string>> Ids(CancellationToken cancel) => [.. (await Rows(cancel)).Select(row => row.Key)];

    private ValueTask<IReadOnlyList<TableRow>> Rows(CancellationToken cancel) =>
        store.Scan(EndpointTable.Name, EndpointTable.Partition, KeyRange.All, StoreLimits.MaxScan, cancel);

    private IWebhookEndpointGrain Endpoint(string id) => GrainFactory.GetGrain<IWebhookEndpointGrain>(id);
}
