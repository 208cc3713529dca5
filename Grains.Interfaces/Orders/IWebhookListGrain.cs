using System.Collections.Immutable;

namespace Grains.Interfaces.Orders;

/// <summary>
/// The endpoints of the cluster: it adds and removes them, and sees to it that each is listed with every partition's feed. The key is
/// always 0.
/// </summary>
[Alias("orders.IWebhookListGrain")]
public interface IWebhookListGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// Adds an endpoint. Durable when it answers, and told of every change that is committed from then on. When it fails halfway the
    /// endpoint may be there: the list shows it.
    /// </summary>
    [Alias("Add")]
    Task<WebhookAdded> Add(AddWebhook asked, CancellationToken cancel = default);

    /// <summary>All of them, by id.</summary>
    [Alias("List")]
    Task<ImmutableArray<WebhookEndpoint>> List(CancellationToken cancel = default);

    /// <summary>
    /// Changes what is set of an endpoint; the rest stays. When it answers, it is durable, and every change that is committed from then on
    /// goes by it. When it
    /// fails halfway, asking again finishes it.
    /// </summary>
    [Alias("Edit")]
    Task<WebhookEdited> Edit(string id, EditWebhook change, CancellationToken cancel = default);

    /// <summary>
    /// Removes an endpoint, and then what waited for it, dead letters included. Durable when it answers; asked again it finishes what ended
    /// halfway. False when there is none.
    /// </summary>
    [Alias("Remove")]
    Task<bool> Remove(string id, CancellationToken cancel = default);

    /// <summary>
    /// Finishes what ended halfway: endpoints that are not listed with every feed, and what is left of removed ones. Called when a silo
    /// starts and every few seconds after.
    /// </summary>
    [Alias("Wake")]
    Task Wake(CancellationToken cancel = default);

    /// <summary>Endpoints at most.</summary>
    const int MaxEndpoints = 50;
}

/// <param name="Events">Types of changes that it wants: <c>order.paid</c>, or <c>paid</c>. None: all.</param>
/// <param name="Secret"><c>whsec_…</c>; null: one is made.</param>
[GenerateSerializer, Immutable, Alias("orders.AddWebhook")]
public sealed record AddWebhook(
    [property: Id(0)] string Url,
    [property: Id(1)] ImmutableArray<string> Events,
    [property: Id(2)] string? Secret
)
{
    /// <summary>Without the secret, and without what may be one in the URL.</summary>
    public override string ToString() => "a webhook";
}

public enum WebhookRefusal
{
    None,
    Url,
    Events,
    Secret,

    /// <summary>As many are there as may.</summary>
    Full,
}

/// <param name="Endpoint">Null when it was refused.</param>
/// <param name="Secret">What messages are signed with, shown here only.</param>
/// <param name="Refusal">What is wrong.</param>
/// <param name="Error">A sentence.</param>
[GenerateSerializer, Immutable, Alias("orders.WebhookAdded")]
public sealed record WebhookAdded(
    [property: Id(0)] WebhookEndpoint? Endpoint,
    [property: Id(1)] string? Secret,
    [property: Id(2)] WebhookRefusal Refusal,
    [property: Id(3)] string? Error
);
