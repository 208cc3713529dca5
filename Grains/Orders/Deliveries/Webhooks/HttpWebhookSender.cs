using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Grains.Interfaces.Orders;
using Grains.Net;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>
/// POSTs over HTTP/1.1: no redirects, no cookies, no proxy, no second try. Each connection's address is checked where it is made.
/// Connections are kept and shared;
/// how many an endpoint has is its <see cref="EndpointWindow"/>'s to say.
/// </summary>
/// <remarks>
/// The status decides. Of the answer's body at most <see cref="MaxAnswerBytes"/> are read, to keep the connection; then, or when the time
/// is over, the connection goes.
/// </remarks>
public sealed class HttpWebhookSender : IWebhookSender, IDisposable
{
    /// <summary>From the start to the answer's end (Standard Webhooks 1.0: 15 to 30 s).</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    public const int MaxAnswerBytes = 64 * 1024;

    /// <summary>Of status line and header fields together.</summary>
    public const int MaxHeaderBytes = 32 * 1024;

    private const string UserAgent = "Orleans-Webhooks/1";

    private readonly TimeProvider _clock;
    private readonly TimeProvider _guards;
    private readonly HttpMessageInvoker _http;

    /// <param name="clock">For the timestamp and Retry-After dates.</param>
    /// <param name="allowPrivate">Private addresses that may be connected to.</param>
    /// <param name="resolve">All addresses of a name; null: the system's resolver.</param>
    /// <param name="connect">Opens a connection to an address that was checked, or throws a <see cref="SocketException"/>; null: over
    /// TCP.</param>
    /// <param name="guards">For the time limit; null: <paramref name="clock"/>.</param>
    public HttpWebhookSender(
        TimeProvider clock,
        AddressRanges allowPrivate,
        Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null,
        Func<IPEndPoint, CancellationToken, ValueTask<Stream>>? connect = null,
        TimeProvider? guards = null
    )
    {
        _clock = clock;
        _guards = guards ?? clock;
        _http = new(
            new SocketsHttpHandler
            {
                // Nothing of ours is told to strangers.
                ActivityHeadersPropagator = null,
                AllowAutoRedirect = false,
                AutomaticDecompression = DecompressionMethods.None,
                ConnectCallback = (context, cancel) => CheckedConnection.Open(context.DnsEndPoint, allowPrivate, resolve, connect, cancel),
                ConnectTimeout = Timeout,
                MaxResponseDrainSize = 0,
                MaxResponseHeadersLength = MaxHeaderBytes / 1024,
                PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),

                // So that a change in DNS is seen.
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
                UseCookies = false,
                UseProxy = false,
            },
            disposeHandler: true
        );
    }

    public async Task<WebhookOutcome> Send(WebhookRequest request, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        using var timeout = new CancellationTokenSource(Timeout, _guards);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancel);
        try
        {
            using var message = Message(request, _clock.GetUtcNow());
            using var response = await _http.SendAsync(message, both.Token).ConfigureAwait(false);
            var retryAfter = response.Headers.NonValidated.TryGetValues("Retry-After", out var values) ? values.ToString() : null;
            var outcome = WebhookOutcome.Answered((int)response.StatusCode, retryAfter, _clock.GetUtcNow());
            return outcome with { Answer = AnswerText.Of(await Drain(response, both.Token).ConfigureAwait(false)) };
        }
        catch (Exception) when (cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancel);
        }
        catch (Exception) when (timeout.IsCancellationRequested)
        {
            return WebhookOutcome.Failed(
                WebhookFailure.Timeout,
                $"{request.Url.Authority} did not answer within {WebhookOutcome.Seconds(Timeout)}."
            );
        }
        catch (OperationCanceledException)
        {
            return WebhookOutcome.Failed(
                WebhookFailure.Timeout,
                $"{request.Url.Authority} accepted no connection within {WebhookOutcome.Seconds(Timeout)}."
            );
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return Explain(exception, request.Url);
        }
    }

    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage Message(WebhookRequest request, DateTimeOffset now)
    {
        var (id, _, body) = request.Message;
        var content = new ReadOnlyMemoryContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        var message = new HttpRequestMessage(HttpMethod.Post, request.Url)
        {
            Content = content,
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        message.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        message.Headers.TryAddWithoutValidation(WebhookSignature.IdHeader, id);
        message.Headers.TryAddWithoutValidation(WebhookSignature.TimestampHeader, WebhookSignature.Seconds(now));
        message.Headers.TryAddWithoutValidation(
            WebhookSignature.SignatureHeader,
            WebhookSignature.Sign(id, now, body.Span, request.Secrets.AsSpan())
        );
        return message;
    }

    /// <summary>The answer is known already: what breaks here changes nothing of it.</summary>
    /// <returns>The first bytes that came, for <see cref="AnswerText"/>.</returns>
    private static async Task<byte[]> Drain(HttpResponseMessage response, CancellationToken cancel)
    {
        var room = new byte[8 * 1024];
        using var first = new MemoryStream();
        var left = MaxAnswerBytes;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
            while (left > 0)
            {
                var read = await body.ReadAsync(room.AsMemory(0, Math.Min(room.Length, left)), cancel).ConfigureAwait(false);
                if (read == 0)
                {
                    break;
                }

                first.Write(room, 0, Math.Min(read, HandlingTry.MaxAnswerBytes - (int)first.Length));
                left -= read;
            }
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
        {
            // The connection is closed with the answer.
        }

        return first.ToArray();
    }

    private static WebhookOutcome Explain(Exception exception, Uri url)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case CannotConnectException cannot:
                    return WebhookOutcome.Failed(
                        cannot.Failure switch
                        {
                            ConnectFailure.PrivateAddress => WebhookFailure.PrivateAddress,
                            ConnectFailure.BadName => WebhookFailure.BadUrl,
                            _ => WebhookFailure.Unreachable,
                        },
                        cannot.Message
                    );
                case HttpRequestException
                {
                    HttpRequestError: HttpRequestError.SecureConnectionError,
                    InnerException: not AuthenticationException
                }:
                    return WebhookOutcome.Failed(
                        WebhookFailure.Tls,
                        $"No secure connection to {url.Authority}: what answers there broke it off, and may speak no TLS."
                    );
                case AuthenticationException:
                    return WebhookOutcome.Failed(WebhookFailure.Tls, $"No secure connection to {url.Authority}: {cause.Message}");
                case SocketException socket:
                    return WebhookOutcome.Failed(WebhookFailure.Cut, $"The connection to {url.Authority} broke: {socket.SocketErrorCode}.");
            }
        }

        var error = exception switch
        {
            HttpRequestException request => request.HttpRequestError,
            HttpIOException io => io.HttpRequestError,
            _ => HttpRequestError.Unknown,
        };
        return error switch
        {
            HttpRequestError.InvalidResponse => WebhookOutcome.Failed(
                WebhookFailure.BadHttp,
                $"What {url.Authority} sends is no HTTP/1.1."
            ),
            HttpRequestError.ConfigurationLimitExceeded => WebhookOutcome.Failed(
                WebhookFailure.BadHttp,
                $"The header that {url.Authority} sends is longer than {MaxHeaderBytes} bytes."
            ),
            _ => WebhookOutcome.Failed(WebhookFailure.Cut, $"{url.Authority} closed the connection before it had answered."),
        };
    }
}
