using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using Doubles.Orders;
using Grains.Orders.Deliveries.Webhooks;

namespace Outside;

/// <summary>The endpoints, one for each path: what each does, and with which secrets what comes to it was signed.</summary>
internal sealed class Endpoints(Ledger ledger, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, ImmutableArray<Told>> _told = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, WebhookSecret[]> _secrets = new(StringComparer.Ordinal);

    /// <summary>From now on: the first answer that has times left; 204 when none has.</summary>
    public void Behave(string path, IEnumerable<EndpointAnswer> answers) => _told[path] = [.. answers.Select(answer => new Told(answer))];

    public void Secrets(string path, IEnumerable<string> secrets) => _secrets[path] = [.. secrets.Select(WebhookSecret.Parse)];

    public WebhookAnswer Take(ReceivedWebhook call)
    {
        var now = clock.GetUtcNow();
        var (path, id) = (call.Path, call.Headers.GetValueOrDefault(WebhookSignature.IdHeader) ?? "");
        var isFirst = ledger.Count(path, id) == 1;
        var answer = _told.GetValueOrDefault(path, []).FirstOrDefault(told => told.Takes(isFirst))?.Answer ?? new();
        var (type, change) = Payload(call.Body);
        ledger.Write(
            new(
                OutsideEffect.Webhook,
                now.UtcTicks,
                id,
                type,
                path,
                Verdict(path, call, now),
                answer.Manner == EndpointManner.Answers ? Ledger.Status(answer.Status) : answer.Manner.ToString(),
                change
            )
        );
        return Answer(answer);
    }

    private string Verdict(string path, ReceivedWebhook call, DateTimeOffset now) =>
        _secrets.TryGetValue(path, out var secrets)
            ? WebhookSignature
                .Verify(
                    call.Headers.GetValueOrDefault(WebhookSignature.IdHeader),
                    call.Headers.GetValueOrDefault(WebhookSignature.TimestampHeader),
                    call.Headers.GetValueOrDefault(WebhookSignature.SignatureHeader),
                    call.Body,
                    secrets,
                    now,
                    WebhookSignature.Tolerance
                )
                .ToString()
            : "-";

    private static WebhookAnswer Answer(EndpointAnswer answer)
    {
        (string, string)[] headers =
        [
            .. answer.RetryAfter is { } after ? [("Retry-After", after)] : Array.Empty<(string, string)>(),
            .. answer.Location is { } there ? [("Location", there)] : Array.Empty<(string, string)>(),
        ];
        var made = answer.Manner switch
        {
            EndpointManner.Hangs => WebhookAnswer.Silence,
            EndpointManner.Cuts => WebhookAnswer.Cut,
            EndpointManner.Endless => WebhookAnswer.BodyWithoutEnd(answer.Status),
            EndpointManner.Stalls => WebhookAnswer.BodyThatStalls(answer.Status),
            _ => WebhookAnswer.Status(answer.Status, headers),
        };
        return answer.SlowMs == 0 ? made : made with { Delay = Task.Delay(answer.SlowMs) };
    }

    /// <summary>Type and time of <c>{type, timestamp, data}</c>, which come before the data; nothing where they do not.</summary>
    private static (string Type, long Ticks) Payload(byte[] body)
    {
        var (type, ticks, name) = ("-", 0L, "");
        try
        {
            var json = new Utf8JsonReader(body);
            while (json.Read() && name != "data")
            {
                if (json.TokenType == JsonTokenType.PropertyName)
                {
                    name = json.GetString()!;
                }
                else if (json.TokenType == JsonTokenType.String && name == "type")
                {
                    type = json.GetString()!;
                }
                else if (json.TokenType == JsonTokenType.String && name == "timestamp")
                {
                    ticks = json.GetDateTimeOffset().UtcTicks;
                }
            }

            return (type, ticks);
        }
        catch (Exception wrong) when (wrong is JsonException or FormatException)
        {
            return ("no-json", 0);
        }
    }

    private sealed class Told(EndpointAnswer answer)
    {
        private int _left = answer.Times ?? int.MaxValue;
        private int _came;

        public EndpointAnswer Answer => answer;

        public bool Takes(bool isFirst) =>
            (isFirst || !answer.FirstOnly)
            && Interlocked.Increment(ref _came) % answer.OneIn == 0
            && (answer.Times is null || Interlocked.Decrement(ref _left) >= 0);
    }
}
