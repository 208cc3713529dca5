using System.Collections.Concurrent;
using System.Collections.Immutable;
using Grains.Orders.Deliveries.Webhooks;

namespace Doubles.Orders;

/// <summary>A request as it would have gone out.</summary>
public sealed record SentWebhook(DateTimeOffset At, string Host, WebhookMessage Message, ImmutableArray<WebhookSecret> Secrets);

/// <summary>Writes down what is sent, and answers for each host as it is told to: 204 unless something else was said.</summary>
public sealed class RecordingWebhookSender(TimeProvider clock) : IWebhookSender
{
    private readonly ConcurrentQueue<SentWebhook> _sent = new();
    private readonly ConcurrentDictionary<string, Func<CancellationToken, Task<WebhookOutcome>>> _answers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (int Now, int Most)> _inFlight = new(StringComparer.Ordinal);

    public IReadOnlyList<SentWebhook> To(string host) => [.. _sent.Where(sent => sent.Host == host)];

    /// <summary>Requests to the host that were under way at once, at most.</summary>
    public int MostInFlight(string host) => _inFlight.GetValueOrDefault(host).Most;

    /// <summary>From now on the host answers so.</summary>
    public void Answer(string host, int status, string? retryAfter = null) =>
        Answer(host, _ => Task.FromResult(WebhookOutcome.Answered(status, retryAfter, clock.GetUtcNow())));

    public void Answer(string host, WebhookFailure failure) =>
        Answer(host, _ => Task.FromResult(WebhookOutcome.Failed(failure, "As it was told to.")));

    public void Answer(string host, Func<CancellationToken, Task<WebhookOutcome>> answer) => _answers[host] = answer;

    public async Task<WebhookOutcome> Send(WebhookRequest request, CancellationToken cancel)
    {
        var host = request.Url.Host;
        _sent.Enqueue(new(clock.GetUtcNow(), host, request.Message, request.Secrets));
        _inFlight.AddOrUpdate(host, _ => (1, 1), (_, count) => (count.Now + 1, Math.Max(count.Most, count.Now + 1)));
        try
        {
            return _answers.TryGetValue(host, out var answer)
                ? await answer(cancel)
                : WebhookOutcome.Answered(204, retryAfter: null, clock.GetUtcNow());
        }
        finally
        {
            _inFlight.AddOrUpdate(host, _ => (0, 0), (_, count) => (count.Now - 1, count.Most));
        }
    }
}
