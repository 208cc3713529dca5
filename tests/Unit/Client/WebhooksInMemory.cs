using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Deliveries.Webhooks;

namespace Unit.Client;

/// <summary>Endpoints without silos: those that were added, by the rules for URLs, events and secrets.</summary>
internal sealed class WebhooksInMemory : IWebhookListGrain
{
    private readonly SortedDictionary<string, EndpointState> _endpoints = new(StringComparer.Ordinal);

    public IWebhookEndpointGrain Endpoint(string id) => new One(this, id);

    public Task<WebhookAdded> Add(AddWebhook asked, CancellationToken cancel = default)
    {
        var events = WebhookEvents.InFull(asked.Events);
        if (!WebhookUrl.TryParse(asked.Url, allowHttp: false, Grains.Net.AddressRanges.None, out var url, out var error))
        {
            return Task.FromResult(new WebhookAdded(null, null, WebhookRefusal.Url, error));
        }

        if (WebhookEvents.Fault(events) is { } fault)
        {
            return Task.FromResult(new WebhookAdded(null, null, WebhookRefusal.Events, fault));
        }

        var (id, secret) = (
            $"endpoint{_endpoints.Count:00}",
            WebhookSecret.Parse(asked.Secret ?? "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        );
        _endpoints.Add(id, EndpointState.New(url, events, secret, Orders.Given.Start));
        return Task.FromResult(new WebhookAdded(Show(id), secret.Text, WebhookRefusal.None, null));
    }

    public Task<ImmutableArray<WebhookEndpoint>> List(CancellationToken cancel = default) =>
        Task.FromResult<ImmutableArray<WebhookEndpoint>>([.. _endpoints.Keys.Select(id => Show(id)!)]);

    public Task<WebhookEdited> Edit(string id, EditWebhook change, CancellationToken cancel = default)
    {
        if (WebhookEdit.Fault(change, allowHttp: false, Grains.Net.AddressRanges.None, out var url, out var events) is var (name, fault))
        {
            return Task.FromResult(new WebhookEdited(null, name, fault));
        }

        return Task.FromResult(
            new WebhookEdited(Change(id, state => state.Edit(url, events, change.PerSecond, change.Grace, Orders.Given.Start)))
        );
    }

    public Task<bool> Remove(string id, CancellationToken cancel = default) => Task.FromResult(_endpoints.Remove(id));

    public Task Wake(CancellationToken cancel = default) => Task.CompletedTask;

    private WebhookEndpoint? Change(string id, Func<EndpointState, EndpointState> change)
    {
        if (_endpoints.TryGetValue(id, out var state))
        {
            _endpoints[id] = change(state);
        }

        return Show(id);
    }

    private WebhookEndpoint? Show(string id) =>
        _endpoints.TryGetValue(id, out var state)
            ? new(
                id,
                state.ShownUrl,
                state.Events,
                state.IsEnabled,
                state.DisabledBecause,
                null,
                0,
                null,
                "closed",
                6.25,
                0,
                1,
                0,
                [.. state.History.Select(note => new WebhookNote(note.At, note.Text))]
            )
            {
                PausedSince = state.PausedSince,
                PerSecond = state.PerSecond,
                Grace = state.Grace ?? EndpointState.Overlap,
            }
            : null;

    private sealed class One(WebhooksInMemory all, string id) : IWebhookEndpointGrain
    {
        public Task<WebhookReply> Send(OrderChange change, CancellationToken cancel = default) => throw new NotSupportedException();

        public Task<ImmutableArray<string>?> Events(CancellationToken cancel = default) => throw new NotSupportedException();

        public Task<WebhookEndpoint?> Show(CancellationToken cancel = default) => Task.FromResult(all.Show(id));

        public Task<WebhookRotated?> Rotate(string? secret, CancellationToken cancel = default) =>
            Task.FromResult(
                all._endpoints.ContainsKey(id)
                    ? new WebhookRotated("whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB", Orders.Given.Start.AddDays(1), null)
                    : null
            );

        public Task<WebhookEndpoint?> Enable(CancellationToken cancel = default) => Task.FromResult(all.Show(id));

        public Task<WebhookEdited> Edit(EditWebhook change, CancellationToken cancel = default) => all.Edit(id, change, cancel);

        public Task<WebhookEndpoint?> Pause(CancellationToken cancel = default) =>
            Task.FromResult(all.Change(id, state => state.Pause(Orders.Given.Start)));

        public Task<WebhookEndpoint?> Resume(CancellationToken cancel = default) =>
            Task.FromResult(all.Change(id, state => state.Resume(Orders.Given.Start)));

        public Task<WebhookReply> Notify(EndpointEvent happened, CancellationToken cancel = default) => throw new NotSupportedException();

        public Task Announce() => Task.CompletedTask;

        public Task<WebhookTested?> Test(CancellationToken cancel = default) =>
            Task.FromResult(
                all._endpoints.ContainsKey(id)
                    ? new WebhookTested("msg_test_1", false, "http-500", "Answered 500.", 500, TimeSpan.FromMilliseconds(12))
                    : null
            );

        public Task<bool> Remove(CancellationToken cancel = default) => throw new NotSupportedException();
    }
}
