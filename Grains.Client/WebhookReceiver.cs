using Grains.Orders.Deliveries.Webhooks;

namespace Grains.Client;

/// <summary>Checks what a webhook's endpoint receives, as Standard Webhooks 1.0 has it.</summary>
/// <remarks>
/// Verify the body's bytes as they came, before they are parsed. A message may come again under the same <c>webhook-id</c>: keep the ids of
/// what was worked on.
/// </remarks>
/// <param name="secrets">Of the endpoint, <c>whsec_…</c>; two while one is being rotated.</param>
/// <param name="clock">Null: the system's.</param>
/// <exception cref="FormatException">A secret is none.</exception>
public sealed class WebhookReceiver(IEnumerable<string> secrets, TimeProvider? clock = null)
{
    private readonly WebhookSecret[] _secrets = [.. secrets.Select(WebhookSecret.Parse)];

    public WebhookReceiver(params ReadOnlySpan<string> secrets)
        : this(secrets.ToArray(), clock: null) { }

    /// <summary>
    /// Whether the message is signed with one of the secrets and at most <see cref="WebhookSignature.Tolerance"/> old. Answer 401 when not.
    /// </summary>
    /// <param name="id">The header <c>webhook-id</c>; null when there is none.</param>
    /// <param name="timestamp">The header <c>webhook-timestamp</c>.</param>
    /// <param name="signature">The header <c>webhook-signature</c>.</param>
    public bool VerifyWebhook(string? id, string? timestamp, string? signature, ReadOnlySpan<byte> body) =>
        WebhookSignature.Verify(
            id,
            timestamp,
            signature,
            body,
            _secrets,
            (clock ?? TimeProvider.System).GetUtcNow(),
            WebhookSignature.Tolerance
        ) == SignatureVerdict.Good;
}
