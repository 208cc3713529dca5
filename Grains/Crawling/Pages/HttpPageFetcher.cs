using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Grains.Net;

namespace Grains.Crawling.Pages;

/// <summary>
/// Fetches over HTTP/2 where an https server speaks it (ALPN), else over HTTP/1.1: no redirects, no cookies, no second try. Connections
/// are kept and shared by all requests with the same <see cref="ConnectionRules"/>: one to a host of HTTP/2, else as many as are asked for;
/// politeness is decided elsewhere. Each connection's address is checked where it is made; where a proxy makes it, the host's address is
/// checked before the proxy is asked, which looks it up once more.
/// </summary>
/// <param name="clock">For Retry-After dates.</param>
/// <param name="resolve">All addresses of a name; null: the system's resolver.</param>
/// <param name="connect">Opens a connection to an address that was checked, or throws a <see cref="SocketException"/>; null: over
/// TCP.</param>
/// <param name="guards">For time limits and elapsed times; null: <paramref name="clock"/>.</param>
public sealed class HttpPageFetcher(
    TimeProvider clock,
    Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null,
    Func<IPEndPoint, CancellationToken, ValueTask<Stream>>? connect = null,
    TimeProvider? guards = null
) : IPageFetcher, IDisposable
{
    /// <summary>Of status line and header fields together.</summary>
    public const int MaxHeaderBytes = 64 * 1024;

    private const HttpStatusCode ProxyWantsCredentials = HttpStatusCode.ProxyAuthenticationRequired;

    private readonly TimeProvider _guards = guards ?? clock;

    private readonly ConnectionPools _pools = new(resolve, connect);

    public async Task<PageFetch> Fetch(PageRequest request, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(request.Timeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(request.MaxBodyBytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(request.MaxBodyBytes, PageRequest.MostBodyBytes);
        cancel.ThrowIfCancellationRequested();

        var start = _guards.GetTimestamp();
        if (!TryParse(request.Url, out var url))
        {
            return PageFetch.Failed(
                FetchFailure.BadUrl,
                $"{request.Url} cannot be asked for: it has to be an http or https URL whose host is a name or an address.",
                TimeSpan.Zero
            );
        }

        using var timeout = new CancellationTokenSource(request.Timeout, _guards);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancel);
        try
        {
            if (request.Proxy is not null)
            {
                await CheckedConnection.Permitted(url.IdnHost, request.AllowPrivate, resolve, both.Token).ConfigureAwait(false);
            }

            using var pool = _pools.Take(new(request.AllowPrivate, request.Proxy, request.AcceptAnyCertificate));
            using var message = Message(request, url);
            using var response = await pool.Send(message, both.Token).ConfigureAwait(false);
            if (request.Proxy is { } proxy && url.Scheme == Uri.UriSchemeHttp && response.StatusCode == ProxyWantsCredentials)
            {
                return Failed(FetchFailure.Proxy, $"The proxy \"{proxy}\" refuses the credentials that this silo has for it.");
            }

            return await Read(message, response, request, start, both.Token).ConfigureAwait(false);
        }
        catch (Exception) when (cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancel);
        }
        catch (Exception) when (timeout.IsCancellationRequested)
        {
            return Failed(FetchFailure.Timeout, $"{url.Authority} did not answer in full within {Seconds(request.Timeout)}.");
        }
        catch (OperationCanceledException)
        {
            return Failed(
                FetchFailure.Timeout,
                $"{url.Authority} accepted no connection within {Seconds(ConnectionPools.ConnectTimeout)}."
            );
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or CannotConnectException)
        {
            var (failure, sentence) = Explain(exception, url, request.Proxy);
            return Failed(failure, sentence);
        }

        PageFetch Failed(FetchFailure failure, string sentence) => PageFetch.Failed(failure, sentence, _guards.GetElapsedTime(start));
    }

    public void Dispose() => _pools.Dispose();

    // Uri would decode and tidy the path, and the server would be asked for another one than was claimed.
    private static bool TryParse(string text, out Uri url) =>
        Uri.TryCreate(text, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }, out url!)
        && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
        && url.Host.Length > 0;

    private static HttpRequestMessage Message(PageRequest request, Uri url)
    {
        var message = new HttpRequestMessage(HttpMethod.Get, url)
        {
            // Without TLS there is nothing by which a server could say that it speaks more.
            Version = url.Scheme == Uri.UriSchemeHttps ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        var headers = message.Headers;
        headers.TryAddWithoutValidation("User-Agent", request.UserAgent);
        headers.TryAddWithoutValidation("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
        headers.TryAddWithoutValidation("Accept-Encoding", "gzip, deflate, br");
        if (request.IfNoneMatch is { } etag)
        {
            headers.TryAddWithoutValidation("If-None-Match", etag);
        }

        if (request.IfModifiedSince is { } modified)
        {
            headers.TryAddWithoutValidation("If-Modified-Since", modified);
        }

        foreach (var (name, value) in request.Session)
        {
            headers.Remove(name);
            headers.TryAddWithoutValidation(name, value);
        }

        return message;
    }

    private async Task<PageFetch> Read(
        HttpRequestMessage message,
        HttpResponseMessage response,
        PageRequest request,
        long start,
        CancellationToken cancel
    )
    {
        var headers = response.Headers.NonValidated;
        var content = response.Content.Headers.NonValidated;
        var type = string.Join(", ", All(content, "Content-Type"));
        var answer = new PageFetch
        {
            Status = (int)response.StatusCode,
            ContentType = ContentType.Parse(type),
            IsPlainByDefault =
                type is "text/plain" or "text/plain; charset=ISO-8859-1" or "text/plain; charset=iso-8859-1" or "text/plain; charset=UTF-8",
            NoSniff =
                First(headers, "X-Content-Type-Options")?.Split(',')[0].Trim().Equals("nosniff", StringComparison.OrdinalIgnoreCase)
                == true,
            Location = First(headers, "Location"),
            RetryAfter = RetryAfter(First(headers, "Retry-After")),
            ETag = First(headers, "ETag"),
            LastModified = First(content, "Last-Modified"),
            Links = All(headers, "Link"),
            Refresh = First(headers, "Refresh"),
            RobotsTags = All(headers, "X-Robots-Tag"),
            SetCookies = All(headers, "Set-Cookie"),
            Protocol = Protocol(response.Version),
        };
        if (answer.Status is >= 200 and < 300 && !answer.ContentType.IsAmong(request.Accept))
        {
            return answer with { IsNotAccepted = true, Elapsed = _guards.GetElapsedTime(start) };
        }

        await using var wire = await response.Content.ReadAsStreamAsync(cancel);
        var body = await BoundedBody.Read(wire, All(content, "Content-Encoding"), request.MaxBodyBytes, cancel).ConfigureAwait(false);
        return answer with
        {
            Body = body.Bytes,
            Truncated = body.Truncated,
            Error = body.Error,
            WireBytes = body.WireBytes,
            Elapsed = _guards.GetElapsedTime(start),
            Exchange = request.WithExchange ? Exchange(message, request.Session, response, body) : null,
        };
    }

    private static HttpExchange Exchange(
        HttpRequestMessage message,
        ImmutableArray<(string Name, string Value)> session,
        HttpResponseMessage response,
        Body body
    )
    {
        var url = message.RequestUri!;
        var request = new StringBuilder(256).Append("GET ").Append(url.PathAndQuery).Append(" HTTP/1.1\r\nHost: ").Append(url.Authority);
        foreach (var (name, values) in message.Headers.NonValidated)
        {
            // The handler puts the credentials of a proxy among the fields.
            if (
                name.Equals("Proxy-Authorization", StringComparison.OrdinalIgnoreCase)
                || session.Any(field => field.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            )
            {
                continue;
            }

            foreach (var value in values)
            {
                request.Append("\r\n").Append(name).Append(": ").Append(value);
            }
        }

        return new(
            request.Append("\r\n\r\n").ToString(),
            $"HTTP/1.1 {(int)response.StatusCode} {response.ReasonPhrase}",
            [.. Fields(response.Headers.NonValidated), .. Fields(response.Content.Headers.NonValidated)],
            body.IsDecoded,
            !body.Truncated ? null
                : body.IsCutOff ? "disconnect"
                : body.Error is null ? "length"
                : "unspecified"
        )
        {
            Protocol = response.Version.Major == 2 ? "h2" : null,
        };
    }

    private static string Protocol(Version version) => version.Major == 2 ? "h2" : $"http/{version.Major}.{version.Minor}";

    private static IEnumerable<(string Name, string Value)> Fields(HttpHeadersNonValidated headers)
    {
        foreach (var (name, values) in headers)
        {
            foreach (var value in values)
            {
                yield return (name, value);
            }
        }
    }

    private TimeSpan? RetryAfter(string? header)
    {
        if (!RetryConditionHeaderValue.TryParse(header, out var value))
        {
            return null;
        }

        var wait = value.Delta ?? value.Date!.Value - clock.GetUtcNow();
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    private static string? First(HttpHeadersNonValidated headers, string name)
    {
        if (headers.TryGetValues(name, out var values))
        {
            foreach (var value in values)
            {
                return Text(value);
            }
        }

        return null;
    }

    private static ImmutableArray<string> All(HttpHeadersNonValidated headers, string name) =>
        headers.TryGetValues(name, out var values) ? [.. values.Select(Text)] : [];

    // Header bytes come as Latin-1, one character each; what is valid UTF-8 was meant as that.
    private static string Text(string header)
    {
        if (Ascii.IsValid(header))
        {
            return header;
        }

        var bytes = Encoding.Latin1.GetBytes(header);
        return System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : header;
    }

    private static (FetchFailure Failure, string Sentence) Explain(Exception exception, Uri url, NamedProxy? proxy)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case CannotConnectException cannot:
                    return (Failure(cannot.Failure), cannot.Message);
                case AuthenticationException:
                    return (
                        FetchFailure.Tls,
                        $"No secure connection to {url.Authority}: {cause.Message} (Crawling:OwnHosts names hosts whose certificates are "
                            + "not checked.)"
                    );
                case SocketException socket:
                    return (FetchFailure.Unreachable, $"The connection to {url.Authority} broke: {Word(socket)}.");
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
            HttpRequestError.SecureConnectionError => (FetchFailure.Tls, $"No secure connection to {url.Authority}: {exception.Message}"),
            HttpRequestError.ProxyTunnelError => (
                FetchFailure.Proxy,
                $"The proxy \"{proxy}\" opened no connection to {url.Authority}"
                    + (exception is HttpRequestException { StatusCode: { } status } ? $": it answered {(int)status}." : ".")
            ),
            HttpRequestError.InvalidResponse => (FetchFailure.BadHttp, $"What {url.Authority} sends is no HTTP: {exception.Message}"),
            HttpRequestError.ConfigurationLimitExceeded => (
                FetchFailure.TooLongHeaders,
                $"The header that {url.Authority} sends is longer than {MaxHeaderBytes} bytes."
            ),
            HttpRequestError.ResponseEnded => (
                FetchFailure.Unreachable,
                $"{url.Authority} closed the connection before its answer was whole."
            ),
            _ => (FetchFailure.Unreachable, $"The connection to {url.Authority} broke: {exception.Message}"),
        };
    }

    private static FetchFailure Failure(ConnectFailure failure) =>
        failure switch
        {
            ConnectFailure.PrivateAddress => FetchFailure.PrivateAddress,
            ConnectFailure.BadName => FetchFailure.BadUrl,
            ConnectFailure.Proxy => FetchFailure.Proxy,
            _ => FetchFailure.Unreachable,
        };

    private static string Word(SocketException socket) =>
        socket.SocketErrorCode switch
        {
            SocketError.ConnectionReset => "it was reset",
            SocketError.ConnectionRefused => "nobody listens there",
            _ => socket.Message,
        };

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.###} s");
}
