using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Doubles;
using Doubles.Net;
using Grains.Crawling.Pages;
using Grains.Interfaces.Crawling;
using Grains.Net;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Unit.Crawling;

/// <summary>Against a real web server, or one that plays by hand, on a network in memory.</summary>
public sealed class HttpPageFetcherTests : IAsyncLifetime
{
    private static readonly AddressRanges Loopback = Ranges("127.0.0.0/8");

    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly MemoryNetwork _network = new();
    private readonly HttpPageFetcher _fetcher;
    private WebSite _site = null!;

    public HttpPageFetcherTests() => _fetcher = new(_clock, _network.Resolve, _network.Connect);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _site = await WebSite.Start(_network);

    public async ValueTask DisposeAsync()
    {
        _fetcher.Dispose();
        await _site.DisposeAsync();
    }

    [Fact]
    public async Task AnAnswerIsTakenWhole()
    {
        _site.Add("/", SiteAnswer.Html("<p>Hello") with { ContentType = "Text/HTML; charset=ISO-8859-1" });
        _site.Add(
            "/",
            SiteAnswer
                .Html("<p>Hello")
                .With("ETag", "\"one\"")
                .With("Last-Modified", "Sat, 28 Feb 2026 10:00:00 GMT")
                .With("Link", "</2>; rel=next")
                .With("Link", "</>; rel=canonical")
                .With("Refresh", "5; url=/next")
                .With("X-Robots-Tag", "noindex")
        );

        var fetch = await Fetch("/");

        Assert.Equal(FetchFailure.None, fetch.Failure);
        Assert.Null(fetch.Error);
        Assert.Equal(200, fetch.Status);
        Assert.Equal(new ContentType("text/html", "utf-8"), fetch.ContentType);
        Assert.Equal("<p>Hello", Text(fetch));
        Assert.Equal("\"one\"", fetch.ETag);
        Assert.Equal("Sat, 28 Feb 2026 10:00:00 GMT", fetch.LastModified);
        Assert.Equal(["</2>; rel=next", "</>; rel=canonical"], fetch.Links);
        Assert.Equal("5; url=/next", fetch.Refresh);
        Assert.Equal(["noindex"], fetch.RobotsTags);
        Assert.Equal(8, fetch.WireBytes);
        Assert.False(fetch.Truncated);
        Assert.Null(fetch.Location);
        Assert.Null(fetch.RetryAfter);
    }

    [Fact]
    public async Task ARedirectIsAnswerAndNotFollowed()
    {
        _site.Add("/old", SiteAnswer.Redirect("../new path?x=1#top", 301)).Add("/new", "no");

        var fetch = await Fetch("/old");

        Assert.Equal(301, fetch.Status);
        Assert.Equal("../new path?x=1#top", fetch.Location);
        Assert.Equal(1, _site.Ledger.Count);
    }

    [Fact]
    public async Task ACookieIsNotSentBack()
    {
        _site.Add("/", SiteAnswer.Html("x").With("Set-Cookie", "a=1; Path=/"));

        await Fetch("/");
        await Fetch("/");

        Assert.All(_site.Ledger.Requests, request => Assert.DoesNotContain("Cookie", request.Headers.Keys));
    }

    [Fact]
    public async Task NothingElseThanThisIsSent()
    {
        using var activity = new System.Diagnostics.Activity("trace").Start();

        await Fetch("/");

        Assert.Equal(
            [
                "Accept-Encoding: gzip, deflate, br",
                "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                $"Host: 127.0.0.1:{_site.Port}",
                "User-Agent: Test/1.0 (+http://about.example/)",
            ],
            Assert.Single(_site.Ledger.Requests).Headers.Select(header => $"{header.Key}: {header.Value}").Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task WhatIsKnownIsAskedForConditionally()
    {
        _site.Add("/", SiteAnswer.Empty(304).With("ETag", "W/\"a b\""));

        var fetch = await _fetcher.Fetch(Request("/") with { IfNoneMatch = "W/\"a b\"", IfModifiedSince = "yesterday" }, Cancel);

        Assert.Equal(304, fetch.Status);
        Assert.Equal("W/\"a b\"", fetch.ETag);
        Assert.True(fetch.Body.IsEmpty);
        var headers = Assert.Single(_site.Ledger.Requests).Headers;
        Assert.Equal("W/\"a b\"", headers["If-None-Match"]);
        Assert.Equal("yesterday", headers["If-Modified-Since"]);
    }

    [Theory]
    [InlineData("/a%2Fb")]
    [InlineData("/%7Euser/%41")]
    [InlineData("/a//b/./c")]
    [InlineData("/a;b=1,2/(x)'!*")]
    [InlineData("/?q=%E4%BD%A0&x=[1]|2^{3}`")]
    [InlineData("/p?a=%2e%2e/&b=%zz&c=%")]
    [InlineData("/p??x=//y")]
    public async Task PathAndQueryGoOutByteForByte(string target)
    {
        await Fetch(target);

        Assert.Equal(target, Assert.Single(_site.Ledger.Requests).Target);
    }

    [Fact]
    public async Task HeaderBytesBeyondAsciiAreUtf8WhenTheyAre()
    {
        using var server = new RawServer(_network);
        var fetching = _fetcher.Fetch(Request(server.Origin + "/", absolute: true), Cancel);
        using var peer = await server.Accept(Cancel);
        await peer.ReadRequest(Cancel);
        await peer.Send("HTTP/1.1 302 Found\r\nLocation: /caf\u00C3\u00A9\r\nRefresh: 0; /caf\u00E9\r\nContent-Length: 0\r\n\r\n", Cancel);

        var fetch = await fetching;

        Assert.Equal("/café", fetch.Location);
        Assert.Equal("0; /café", fetch.Refresh);
    }

    [Theory]
    [InlineData("120", 120)]
    [InlineData("0", 0)]
    [InlineData("Sun, 01 Mar 2026 12:01:30 GMT", 90)]
    [InlineData("Sunday, 01-Mar-26 12:01:30 GMT", 90)]
    [InlineData("Sun, 01 Mar 2026 11:00:00 GMT", 0)]
    [InlineData("-5", null)]
    [InlineData("soon", null)]
    public async Task RetryAfterIsSecondsOrADate(string header, int? seconds)
    {
        _site.Add("/", SiteAnswer.Empty(503).With("Retry-After", header));

        var fetch = await Fetch("/");

        Assert.Equal(503, fetch.Status);
        Assert.Equal(seconds is { } value ? TimeSpan.FromSeconds(value) : null, fetch.RetryAfter);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("x-gzip")]
    [InlineData("GZIP")]
    [InlineData("deflate")]
    [InlineData("bare deflate")]
    [InlineData("br")]
    [InlineData("gzip, identity, br")]
    public async Task ABodyIsDecompressed(string encoding)
    {
        var packed = Packed(encoding, Encoding.UTF8.GetBytes("The boats lay close along the wall."));
        _site.Add(
            "/",
            (SiteAnswer.Html("") with { Body = packed }).With("Content-Encoding", encoding.Replace("bare ", "", StringComparison.Ordinal))
        );

        var fetch = await Fetch("/");

        Assert.Equal("The boats lay close along the wall.", Text(fetch));
        Assert.Equal(packed.Length, fetch.WireBytes);
        Assert.False(fetch.Truncated);
        Assert.Null(fetch.Error);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public async Task WhatIsNotCompressedAsItSaysIsCutThere(string encoding)
    {
        _site.Add("/", SiteAnswer.Html("\u0001<p>This is no compression at all").With("Content-Encoding", encoding));

        var fetch = await Fetch("/");

        Assert.Equal(200, fetch.Status);
        Assert.True(fetch.Truncated);
        Assert.StartsWith($"The body is not what Content-Encoding \"{encoding}\" says: ", fetch.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public async Task ACompressedBodyWithoutItsEndIsKeptAsFarAsItGoes(string encoding)
    {
        var whole = Noise(100_000);
        var packed = Packed(encoding, whole);
        _site.Add("/", (SiteAnswer.Html("") with { Body = packed.AsMemory(0, packed.Length / 2) }).With("Content-Encoding", encoding));

        var fetch = await Fetch("/");

        Assert.True(fetch.Truncated);
        Assert.NotNull(fetch.Error);
        Assert.True(whole.AsSpan().StartsWith(fetch.Body.Span));
    }

    [Theory]
    [InlineData("zstd")]
    [InlineData("gzip, gzip, gzip, gzip")]
    public async Task AnEncodingThatWasNotAskedForIsLeftAsItIs(string encoding)
    {
        _site.Add("/", SiteAnswer.Html("packed").With("Content-Encoding", encoding));

        var fetch = await Fetch("/");

        Assert.Equal("packed", Text(fetch));
        Assert.True(fetch.Truncated);
        Assert.Equal($"Content-Encoding \"{encoding}\" was not asked for and is not understood: gzip, deflate and br are.", fetch.Error);
    }

    [Theory]
    [InlineData(999, false)]
    [InlineData(1000, false)]
    [InlineData(1001, true)]
    [InlineData(50_000, true)]
    public async Task ABodyIsCutAtItsLimit(int length, bool truncated)
    {
        _site.Add("/", SiteAnswer.Html(new string('x', length)));

        var fetch = await _fetcher.Fetch(Request("/") with { MaxBodyBytes = 1000 }, Cancel);

        Assert.Equal(Math.Min(length, 1000), fetch.Body.Length);
        Assert.Equal(truncated, fetch.Truncated);
        Assert.Null(fetch.Error);
        Assert.Equal(Math.Min(length, 1001), fetch.WireBytes);
    }

    [Fact]
    public async Task ABombIsCutAtTheSameLimit()
    {
        _site.Add("/", SiteAnswer.Html(new string('0', 50_000_000)).Gzipped());

        var fetch = await _fetcher.Fetch(Request("/") with { MaxBodyBytes = 10_000 }, Cancel);

        Assert.Equal(10_000, fetch.Body.Length);
        Assert.True(fetch.Truncated);
        Assert.Null(fetch.Error);
    }

    [Fact]
    public async Task ManyRequestsShareOneConnection()
    {
        using var server = new RawServer(_network);
        var first = _fetcher.Fetch(Request(server.Origin + "/1", absolute: true), Cancel);
        using var peer = await server.Accept(Cancel);
        await peer.ReadRequest(Cancel);
        await peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1", Cancel);
        Assert.Equal("1", Text(await first));

        var second = _fetcher.Fetch(Request(server.Origin + "/2", absolute: true), Cancel);
        Assert.StartsWith("GET /2 HTTP/1.1\r\n", await peer.ReadRequest(Cancel), StringComparison.Ordinal);
        await peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2", Cancel);

        Assert.Equal("2", Text(await second));
    }

    [Fact]
    public async Task AnEndlessBodyIsReadToItsLimitAndLeft()
    {
        using var server = new RawServer(_network);
        var fetching = _fetcher.Fetch(Request(server.Origin + "/", absolute: true) with { MaxBodyBytes = 100_000 }, Cancel);
        using var peer = await server.Accept(Cancel);
        await peer.ReadRequest(Cancel);
        await peer.Send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", Cancel);
        var sending = peer.SendForEver(new byte[4096], Cancel);

        var fetch = await fetching;

        Assert.Equal(100_000, fetch.Body.Length);
        Assert.True(fetch.Truncated);
        Assert.Equal(100_001, fetch.WireBytes);

        // It ends because the connection was closed, not because the test does.
        Assert.InRange(await sending, 100_001, long.MaxValue);
    }

    [Fact]
    public async Task AServerThatTricklesIsEndedByTheTime()
    {
        using var server = new RawServer(_network);
        var fetching = _fetcher.Fetch(Request(server.Origin + "/", absolute: true) with { Timeout = TimeSpan.FromSeconds(10) }, Cancel);
        using var peer = await server.Accept(Cancel);
        await peer.ReadRequest(Cancel);
        await peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", Cancel);
        for (var second = 1; second < 10; second++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            await peer.Send("x", Cancel);
        }

        Assert.False(fetching.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));

        var fetch = await fetching;
        Assert.Equal(FetchFailure.Timeout, fetch.Failure);
        Assert.Equal($"127.0.0.1:{server.Port} did not answer in full within 10 s.", fetch.Error);
        Assert.Equal(TimeSpan.FromSeconds(10), fetch.Elapsed);
        await peer.Gone(Cancel);
    }

    [Fact]
    public async Task AServerThatSaysNothingIsEndedByTheTime()
    {
        var gate = new Gate();
        _site.Add("/", SiteAnswer.Html("late").Behind(gate));
        var fetching = _fetcher.Fetch(Request("/") with { Timeout = TimeSpan.FromSeconds(0.5) }, Cancel);
        await gate.Reached;

        _clock.Advance(TimeSpan.FromSeconds(0.5));

        var fetch = await fetching;
        Assert.Equal(FetchFailure.Timeout, fetch.Failure);
        Assert.Equal($"127.0.0.1:{_site.Port} did not answer in full within 0.5 s.", fetch.Error);
    }

    [Fact]
    public async Task TheTimeFromTheStartToTheLastByteIsTold()
    {
        var gate = new Gate();
        _site.Add("/", SiteAnswer.Html("late").Behind(gate));
        var fetching = Fetch("/");
        await gate.Reached;
        _clock.Advance(TimeSpan.FromSeconds(3));
        gate.Open();

        Assert.Equal(TimeSpan.FromSeconds(3), (await fetching).Elapsed);
    }

    [Fact]
    public async Task OnlyTheCallersOwnCancelIsThrown()
    {
        var gate = new Gate();
        _site.Add("/", SiteAnswer.Html("late").Behind(gate));
        using var cancel = new CancellationTokenSource();
        var fetching = _fetcher.Fetch(Request("/"), cancel.Token);
        await gate.Reached;

        await cancel.CancelAsync();

        var thrown = await Assert.ThrowsAsync<OperationCanceledException>(() => fetching);
        Assert.Equal(cancel.Token, thrown.CancellationToken);
    }

    [Fact]
    public async Task ABodyThatEndsEarlyKeepsItsStatusAndWhatCame()
    {
        using var server = new RawServer(_network);
        var fetching = _fetcher.Fetch(Request(server.Origin + "/", absolute: true), Cancel);
        using var peer = await server.Accept(Cancel);
        await peer.ReadRequest(Cancel);
        await peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", Cancel);
        peer.Dispose();

        var fetch = await fetching;

        Assert.Equal((FetchFailure.None, 200, "only this", true), (fetch.Failure, fetch.Status, Text(fetch), fetch.Truncated));
        Assert.StartsWith("The body ended early, after 9 bytes: ", fetch.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AResetIsUnreachable()
    {
        using var server = new RawServer(_network);
        var fetching = _fetcher.Fetch(Request(server.Origin + "/", absolute: true), Cancel);
        using var peer = await server.Accept(Cancel);
        await peer.ReadRequest(Cancel);
        peer.Cut();

        var fetch = await fetching;

        Assert.Equal(FetchFailure.Unreachable, fetch.Failure);
        Assert.Equal($"The connection to 127.0.0.1:{server.Port} broke: it was reset.", fetch.Error);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n")]
    [InlineData("HTTP/1.1 abc OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon here\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")]
    [InlineData("<html>no header</html>\r\n\r\n")]
    public async Task WhatIsNoHttpIsBadHttp(string answer)
    {
        var fetch = await FetchRaw(answer);

        Assert.Equal(FetchFailure.BadHttp, fetch.Failure);
        Assert.StartsWith("What 127.0.0.1:", fetch.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AHeaderMayHave64KiBAndNoMore()
    {
        var fits = await FetchRaw($"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: {new string('x', 60_000)}\r\n\r\n");
        var tooLong = await FetchRaw($"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: {new string('x', 70_000)}\r\n\r\n");

        Assert.Equal(200, fits.Status);
        Assert.Equal(FetchFailure.TooLongHeaders, tooLong.Failure);
        Assert.EndsWith("sends is longer than 65536 bytes.", tooLong.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhereNobodyListensIsUnreachable()
    {
        var port = _network.FreePort();

        var fetch = await _fetcher.Fetch(Request($"http://127.0.0.1:{port}/", absolute: true), Cancel);

        Assert.Equal(FetchFailure.Unreachable, fetch.Failure);
        Assert.Equal($"No connection to 127.0.0.1 (127.0.0.1) on port {port}: ConnectionRefused.", fetch.Error);
    }

    [Fact]
    public async Task WhatSpeaksNoTlsFailsByTls()
    {
        using var server = new RawServer(_network);
        var fetching = _fetcher.Fetch(Request($"https://127.0.0.1:{server.Port}/", absolute: true), Cancel);
        using var peer = await server.Accept(Cancel);
        await peer.Send("HTTP/1.1 400 Bad Request\r\n\r\n", Cancel);

        var fetch = await fetching;

        Assert.Equal(FetchFailure.Tls, fetch.Failure);
        Assert.StartsWith($"No secure connection to 127.0.0.1:{server.Port}: ", fetch.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ftp://127.0.0.1/")]
    [InlineData("/relative")]
    [InlineData("http://")]
    [InlineData("http://a..b/")]
    public async Task AUrlThatCannotBeAskedForIsBadUrl(string url)
    {
        using var fetcher = new HttpPageFetcher(_clock, (host, _) => throw new ArgumentException($"{host} is wrong."), _network.Connect);

        var fetch = await fetcher.Fetch(Request(url, absolute: true), Cancel);

        Assert.Equal(FetchFailure.BadUrl, fetch.Failure);
        Assert.Contains(url.Trim('/').Replace("http://", "", StringComparison.Ordinal), fetch.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task APrivateAddressIsNotConnectedTo()
    {
        var fetch = await _fetcher.Fetch(Request("/") with { AllowPrivate = Ranges("10.0.0.0/8") }, Cancel);

        Assert.Equal(FetchFailure.PrivateAddress, fetch.Failure);
        Assert.Equal(
            "127.0.0.1 is 127.0.0.1, which is loopback and not among the ranges that may be connected to (10.0.0.0/8).",
            fetch.Error
        );
        Assert.Equal(0, _site.Ledger.Count);
    }

    [Fact]
    public async Task ANameWhoseAddressesAreAllPrivateIsNotConnectedTo()
    {
        using var fetcher = Resolving("127.0.0.1", "::1");

        var fetch = await fetcher.Fetch(
            Request($"http://inside.example:{_site.Port}/", absolute: true) with
            {
                AllowPrivate = AddressRanges.None,
            },
            Cancel
        );

        Assert.Equal(FetchFailure.PrivateAddress, fetch.Failure);
        Assert.Equal(
            "inside.example is 127.0.0.1, which is loopback and not among the ranges that may be connected to (none).",
            fetch.Error
        );
        Assert.Equal(0, _site.Ledger.Count);
    }

    [Fact]
    public async Task OfSeveralAddressesTheFirstPermittedIsUsed()
    {
        _site.Add("/", "here");
        using var fetcher = Resolving("10.0.0.1", "::1", "127.0.0.1");

        var fetch = await fetcher.Fetch(Request($"http://some.example:{_site.Port}/", absolute: true), Cancel);

        Assert.Equal("here", Text(fetch));
        Assert.Equal($"some.example:{_site.Port}", Assert.Single(_site.Ledger.Requests).Headers["Host"]);
    }

    /// <summary>Browsers ask for such names, and there are such hosts.</summary>
    [Theory]
    [InlineData("xn--board-ngr.palungjit.example")]
    [InlineData("xn--a.example")]
    [InlineData("a_b.example")]
    [InlineData("_a.example")]
    [InlineData("a--b.example")]
    [InlineData("-a.example")]
    [InlineData("a-.example")]
    public async Task AnOddNameIsAskedForAsItIs(string name)
    {
        _site.Add("/", "here");
        using var fetcher = Resolving("127.0.0.1");

        var fetch = await fetcher.Fetch(Request($"http://{name}:{_site.Port}/", absolute: true), Cancel);

        Assert.Equal("here", Text(fetch));
        Assert.Equal($"{name}:{_site.Port}", Assert.Single(_site.Ledger.Requests).Headers["Host"]);
    }

    [Fact]
    public async Task WhenOneAddressRefusesTheNextIsTried()
    {
        _site.Add("/", "here");

        // The site listens on 127.0.0.1 alone.
        using var fetcher = Resolving("127.0.0.2", "127.0.0.1");

        Assert.Equal("here", Text(await fetcher.Fetch(Request($"http://some.example:{_site.Port}/", absolute: true), Cancel)));
    }

    [Fact]
    public async Task ANameThatIsReboundIsCheckedAgainWhereItIsConnected()
    {
        var lookups = 0;
        using var fetcher = new HttpPageFetcher(
            _clock,
            (_, _) => Task.FromResult(new[] { IPAddress.Parse(lookups++ == 0 ? "127.0.0.3" : "10.0.0.1") }),
            _network.Connect
        );
        var request = Request($"http://some.example:{_site.Port}/", absolute: true);

        // Nobody listens on 127.0.0.3; so the second fetch makes a connection of its own.
        Assert.Equal(FetchFailure.Unreachable, (await fetcher.Fetch(request, Cancel)).Failure);
        var second = await fetcher.Fetch(request, Cancel);

        Assert.Equal(FetchFailure.PrivateAddress, second.Failure);
        Assert.Equal(2, lookups);
    }

    [Fact]
    public async Task AConnectionOfACrawlThatMayIsNotLentToOneThatMayNot()
    {
        _site.Add("/", "here");
        Assert.Equal(200, (await Fetch("/")).Status);

        Assert.Equal(
            FetchFailure.PrivateAddress,
            (await _fetcher.Fetch(Request("/") with { AllowPrivate = AddressRanges.None }, Cancel)).Failure
        );
    }

    [Fact]
    public async Task ANameWithoutAddressIsUnreachable()
    {
        using var unknown = new HttpPageFetcher(
            _clock,
            (_, _) => throw new SocketException((int)SocketError.HostNotFound),
            _network.Connect
        );
        using var empty = Resolving();

        var fetch = await unknown.Fetch(Request("http://nowhere.example/", absolute: true), Cancel);

        Assert.Equal(FetchFailure.Unreachable, fetch.Failure);
        Assert.Equal("The name nowhere.example has no address: HostNotFound.", fetch.Error);
        Assert.Equal(
            "The name nowhere.example has no address.",
            (await empty.Fetch(Request("http://nowhere.example/", absolute: true), Cancel)).Error
        );
    }

    [Fact]
    public async Task AProxyIsAskedForTheWholeUrl()
    {
        _site.Add("http://shop.example/a?b", "through");
        using var fetcher = Resolving("93.184.215.14");

        var fetch = await fetcher.Fetch(Through(Proxy(_site.Port), "http://shop.example/a?b"), Cancel);

        Assert.Equal("through", Text(fetch));
        Assert.Equal("shop.example", Assert.Single(_site.Ledger.Requests).Headers["Host"]);
    }

    [Theory]
    [InlineData("http://inside.example/")]
    [InlineData("https://inside.example/")]
    [InlineData("http://10.0.0.1/")]
    [InlineData("http://[::1]/")]
    public async Task AProxyIsNotAskedForWhatIsPrivate(string url)
    {
        using var fetcher = Resolving("10.0.0.1");

        var fetch = await fetcher.Fetch(Through(Proxy(_site.Port), url), Cancel);

        Assert.Equal(FetchFailure.PrivateAddress, fetch.Failure);
        Assert.Equal(0, _site.Ledger.Count);
        Assert.Equal(0, _network.Connections);
    }

    [Fact]
    public async Task TheCredentialsOfAProxyGoToItAndNowhereElse()
    {
        using var server = new RawServer(_network);
        using var fetcher = Resolving("93.184.215.14");
        var fetching = fetcher.Fetch(
            Through(Proxy(server.Port, "user:secret@"), "http://shop.example/") with
            {
                WithExchange = true,
            },
            Cancel
        );
        using var peer = await server.Accept(Cancel);
        var first = await peer.ReadRequest(Cancel);
        await peer.Send("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 0\r\n\r\n", Cancel);
        var second = await peer.ReadRequest(Cancel);
        await peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Cancel);
        var fetch = await fetching;

        Assert.DoesNotContain("Proxy-Authorization", first, StringComparison.Ordinal);
        Assert.Contains("Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=", second, StringComparison.Ordinal);
        Assert.Equal("ok", Text(fetch));
        Assert.DoesNotContain("Proxy-", fetch.Exchange!.RequestHead, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task AProxyThatRefusesItsCredentialsIsAFailureAndNoPage()
    {
        using var server = new RawServer(_network);
        using var fetcher = Resolving("93.184.215.14");
        var fetching = fetcher.Fetch(Through(Proxy(server.Port, "user:secret@"), "http://shop.example/"), Cancel);
        using var peer = await server.Accept(Cancel);
        for (var request = 0; request < 2; request++)
        {
            await peer.ReadRequest(Cancel);
            await peer.Send("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 0\r\n\r\n", Cancel);
        }

        var fetch = await fetching;
        Assert.Equal(
            (FetchFailure.Proxy, "The proxy \"office\" refuses the credentials that this silo has for it."),
            (fetch.Failure, fetch.Error)
        );
    }

    [Fact]
    public async Task AProxyThatOpensNoConnectionSaysSoWithItsNameAlone()
    {
        using var server = new RawServer(_network);
        using var fetcher = Resolving("93.184.215.14");
        var fetching = fetcher.Fetch(Through(Proxy(server.Port), "https://shop.example/"), Cancel);
        using var peer = await server.Accept(Cancel);
        var asked = await peer.ReadRequest(Cancel);
        await peer.Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", Cancel);
        var fetch = await fetching;

        Assert.StartsWith("CONNECT shop.example:443 HTTP/1.1\r\n", asked, StringComparison.Ordinal);
        Assert.Equal(
            (FetchFailure.Proxy, "The proxy \"office\" opened no connection to shop.example: it answered 403."),
            (fetch.Failure, fetch.Error)
        );
    }

    [Fact]
    public async Task AProxyThatIsNotThereSaysSoWithItsNameAlone()
    {
        using var fetcher = Resolving("93.184.215.14");
        var fetch = await fetcher.Fetch(Through(Proxy(_network.FreePort()), "http://shop.example/"), Cancel);

        Assert.Equal((FetchFailure.Proxy, "The proxy \"office\" cannot be connected to."), (fetch.Failure, fetch.Error));
    }

    [Fact]
    public async Task ACertificateThatNobodyVouchesForCountsOnOwnHostsAlone()
    {
        using var certificate = WebSite.SelfSigned("own.example");
        await using var site = await WebSite.Start(_network, certificate: certificate);
        site.Add("/", "secure");
        var request = Request(site.UrlOf("/"), absolute: true);

        var own = await _fetcher.Fetch(request with { AcceptAnyCertificate = true }, Cancel);
        var other = await _fetcher.Fetch(request, Cancel);

        Assert.Equal("secure", Text(own));
        Assert.Equal(FetchFailure.Tls, other.Failure);
        Assert.EndsWith("(Crawling:OwnHosts names hosts whose certificates are not checked.)", other.Error, StringComparison.Ordinal);
        Assert.Equal(1, site.Ledger.Count);
    }

    [Fact]
    public async Task AnHttpsServerIsAskedOverHttp2OnOneConnection()
    {
        using var certificate = WebSite.SelfSigned("own.example");
        await using var site = await WebSite.Start(_network, certificate: certificate);
        var gate = new Gate();
        site.Add("/", SiteAnswer.Html("secure").With("X-Some", "1")).Add("/late", SiteAnswer.Html("late").Behind(gate));
        var request = Request(site.UrlOf("/"), absolute: true) with { AcceptAnyCertificate = true, WithExchange = true };

        var late = _fetcher.Fetch(request with { Url = site.UrlOf("/late") }, Cancel);
        await gate.Reached;
        var fetch = await _fetcher.Fetch(request, Cancel);
        gate.Open();

        Assert.Equal(("secure", "late"), (Text(fetch), Text(await late)));
        Assert.Equal(("h2", "HTTP/1.1 200 OK"), (fetch.Exchange!.Protocol, fetch.Exchange.StatusLine));
        Assert.StartsWith($"GET / HTTP/1.1\r\nHost: 127.0.0.1:{site.Port}\r\n", fetch.Exchange.RequestHead, StringComparison.Ordinal);
        Assert.Equal(1, _network.Connections);
    }

    [Theory]
    [InlineData("/", "body")]
    [InlineData("/gzip", "packed")]
    [InlineData("/gone", "")]
    public async Task AnAnswerOverHttp2IsReadAsOneOverHttp1(string target, string body)
    {
        using var certificate = WebSite.SelfSigned("own.example");
        await using var secure = await WebSite.Start(_network, certificate: certificate);
        foreach (var site in new[] { _site, secure })
        {
            site.Add("/", SiteAnswer.Html("body").With("Set-Cookie", "a=1").With("Set-Cookie", "b=2").With("ETag", "\"one\""))
                .Add(
                    "/gzip",
                    SiteAnswer.Html("") with
                    {
                        Body = Packed("gzip", "packed"u8.ToArray()),
                        Headers = [("Content-Encoding", "gzip")],
                    }
                )
                .Add("/gone", SiteAnswer.Redirect("/there").With("Retry-After", "7"));
        }

        var one = await Fetch(target);
        var two = await _fetcher.Fetch(Request(secure.UrlOf(target), absolute: true) with { AcceptAnyCertificate = true }, Cancel);

        Assert.Equal(body, Text(two));
        Assert.Equal(
            (one.Status, one.ContentType, one.Location, one.RetryAfter, one.ETag, one.WireBytes, one.Truncated),
            (two.Status, two.ContentType, two.Location, two.RetryAfter, two.ETag, two.WireBytes, two.Truncated)
        );
        Assert.Equal(one.SetCookies, two.SetCookies);
    }

    [Fact]
    public async Task ABodyOverHttp2IsCutAtItsLimitAndItsConnectionGoesOn()
    {
        using var certificate = WebSite.SelfSigned("own.example");
        await using var site = await WebSite.Start(_network, certificate: certificate);
        site.Add("/", SiteAnswer.Html("") with { Body = Noise(500_000) }).Add("/next", "next");
        var request = Request(site.UrlOf("/"), absolute: true) with { AcceptAnyCertificate = true, MaxBodyBytes = 100_000 };

        var cut = await _fetcher.Fetch(request, Cancel);
        var next = await _fetcher.Fetch(request with { Url = site.UrlOf("/next") }, Cancel);

        Assert.Equal((100_000, true, null), (cut.Body.Length, cut.Truncated, cut.Error));
        Assert.Equal("next", Text(next));
        Assert.Equal(1, _network.Connections);
    }

    /// <summary>RFC 9113: a stream that the server resets, and a connection that it ends (GOAWAY) with the request under way.</summary>
    [Theory]
    [InlineData("000004 03 00 00000001 00000002")]
    [InlineData("000008 07 00 00000000 00000001 00000002")]
    public async Task AStreamThatTheServerEndsIsAConnectionThatBroke(string frame)
    {
        using var certificate = WebSite.SelfSigned("own.example");
        using var listener = _network.Listen(new(IPAddress.Loopback, 0));
        var fetching = FetchOverHttp2(listener);
        using var connection = await listener.Accept(Cancel);
        await using var tls = await Http2(connection, certificate);
        Assert.Equal(1, await NextStream(tls));
        await Send(tls, frame);
        connection.CloseWrites();
        var fetch = await fetching;

        Assert.Equal(FetchFailure.Unreachable, fetch.Failure);
        Assert.StartsWith($"The connection to 127.0.0.1:{listener.EndPoint.Port} broke: ", fetch.Error, StringComparison.Ordinal);
        Assert.Equal(FetchResult.Temporary, FetchVerdict.Of(fetch).Result);
    }

    /// <summary>
    /// RFC 9113 §8.7: a stream that is refused (REFUSED_STREAM), and one beyond the last that a GOAWAY names, were not looked at. The
    /// request is made again, on the same connection or on a new one, and answered once.
    /// </summary>
    [Theory]
    [InlineData("000004 03 00 00000001 00000007", false)]
    [InlineData("000008 07 00 00000000 00000000 00000000", true)]
    public async Task ARequestThatTheServerDidNotLookAtIsMadeAgainAndAnsweredOnce(string frame, bool isNewConnection)
    {
        using var certificate = WebSite.SelfSigned("own.example");
        using var listener = _network.Listen(new(IPAddress.Loopback, 0));
        var fetching = FetchOverHttp2(listener);
        using var connection = await listener.Accept(Cancel);
        await using var tls = await Http2(connection, certificate);
        Assert.Equal(1, await NextStream(tls));
        await Send(tls, frame);

        if (isNewConnection)
        {
            using var next = await listener.Accept(Cancel);
            await using var second = await Http2(next, certificate);
            Assert.Equal(1, await NextStream(second));
            await Send(second, "000001 01 05 00000001 88");
            Assert.Equal((200, "h2"), ((await fetching).Status, (await fetching).Protocol));
            return;
        }

        Assert.Equal(3, await NextStream(tls));
        await Send(tls, "000001 01 05 00000003 88");
        Assert.Equal((200, "h2"), ((await fetching).Status, (await fetching).Protocol));
    }

    /// <summary>It is asked a few times at once, then it waits like any URL whose host is in trouble.</summary>
    [Fact]
    public async Task AServerThatRefusesEachStreamIsAConnectionThatBroke()
    {
        using var certificate = WebSite.SelfSigned("own.example");
        using var listener = _network.Listen(new(IPAddress.Loopback, 0));
        var fetching = FetchOverHttp2(listener);
        using var connection = await listener.Accept(Cancel);
        await using var tls = await Http2(connection, certificate);
        for (var stream = 1; stream <= 7; stream += 2)
        {
            Assert.Equal(stream, await NextStream(tls));
            await Send(tls, $"000004 03 00 {stream:x8} 00000007");
        }

        var fetch = await fetching;
        Assert.Equal(FetchFailure.Unreachable, fetch.Failure);
        Assert.Equal(new FetchVerdict(FetchResult.Temporary, "unreachable"), FetchVerdict.Of(fetch));
    }

    private Task<PageFetch> FetchOverHttp2(IListener listener) =>
        _fetcher.Fetch(
            Request($"https://127.0.0.1:{listener.EndPoint.Port}/", absolute: true) with
            {
                AcceptAnyCertificate = true,
            },
            Cancel
        );

    /// <summary>The server's side of a connection, past the preface of the client.</summary>
    private static async Task<SslStream> Http2(Connection connection, X509Certificate2 certificate)
    {
        var tls = new SslStream(connection.Stream);
        await tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions { ServerCertificate = certificate, ApplicationProtocols = [SslApplicationProtocol.Http2] },
            Cancel
        );
        await tls.WriteAsync(new byte[] { 0, 0, 0, 0x4, 0, 0, 0, 0, 0 }, Cancel); // SETTINGS without any.
        await tls.ReadExactlyAsync(new byte["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".Length], Cancel);
        return tls;
    }

    /// <summary>Reads up to the HEADERS of the next request, and answers with the number of its stream.</summary>
    private static async Task<int> NextStream(SslStream tls)
    {
        var head = new byte[9];
        do
        {
            await tls.ReadExactlyAsync(head, Cancel);
            await tls.ReadExactlyAsync(new byte[(head[0] << 16) | (head[1] << 8) | head[2]], Cancel);
        } while (head[3] != 0x1);

        return BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5));
    }

    private static async Task Send(SslStream tls, string frame) =>
        await tls.WriteAsync(Convert.FromHexString(frame.Replace(" ", "", StringComparison.Ordinal)), Cancel);

    [Fact]
    public void AtMostSixteenPoolsAreKeptBeyondThoseInUse()
    {
        using var pools = new ConnectionPools((_, _) => throw new InvalidOperationException("Nobody asks."), _network.Connect);
        for (var i = 0; i < 20; i++)
        {
            pools.Take(new(Ranges($"10.0.{i}.0/24"))).Dispose();
        }

        Assert.Equal(16, pools.Count);

        var inUse = Enumerable.Range(0, 20).Select(i => pools.Take(new(Ranges($"10.1.{i}.0/24")))).ToList();
        Assert.Equal(20, pools.Count);
        inUse.ForEach(lease => lease.Dispose());
        Assert.Equal(16, pools.Count);
    }

    private static AddressRanges Ranges(string text)
    {
        Assert.True(AddressRanges.TryParse(text, out var ranges, out var error), error);
        return ranges;
    }

    private static string Text(PageFetch fetch) => Encoding.UTF8.GetString(fetch.Body.Span);

    private static byte[] Noise(int length)
    {
        var noise = new byte[length];
        new Random(1).NextBytes(noise);
        return noise;
    }

    private static byte[] Packed(string encoding, byte[] bytes)
    {
        if (encoding == "gzip, identity, br")
        {
            return Packed("br", Packed("gzip", bytes));
        }

        using var packed = new MemoryStream();
        using (
            Stream packer = encoding switch
            {
                "deflate" => new ZLibStream(packed, CompressionLevel.Optimal),
                "bare deflate" => new DeflateStream(packed, CompressionLevel.Optimal),
                "br" => new BrotliStream(packed, CompressionLevel.Optimal),
                _ => new GZipStream(packed, CompressionLevel.Optimal),
            }
        )
        {
            packer.Write(bytes);
        }

        return packed.ToArray();
    }

    private static NamedProxy Proxy(int port, string user = "")
    {
        Assert.True(ProxyList.TryParse($"office=http://{user}127.0.0.1:{port}", out var proxies));
        return proxies.Find("office")!;
    }

    private PageRequest Through(NamedProxy proxy, string url) =>
        Request(url, absolute: true) with
        {
            Proxy = proxy,
            AllowPrivate = AddressRanges.None,
        };

    private HttpPageFetcher Resolving(params string[] addresses) =>
        new(_clock, (_, _) => Task.FromResult(Array.ConvertAll(addresses, IPAddress.Parse)), _network.Connect);

    private PageRequest Request(string target, bool absolute = false) =>
        new(
            absolute ? target : string.Create(CultureInfo.InvariantCulture, $"{_site.Origin}{target}"),
            Timeout: TimeSpan.FromSeconds(30),
            MaxBodyBytes: 1_000_000,
            AllowPrivate: Loopback,
            UserAgent: "Test/1.0 (+http://about.example/)"
        );

    private Task<PageFetch> Fetch(string target) => _fetcher.Fetch(Request(target), Cancel);

    private async Task<PageFetch> FetchRaw(string answer)
    {
        using var server = new RawServer(_network);
        var fetching = _fetcher.Fetch(Request(server.Origin + "/", absolute: true), Cancel);
        using var peer = await server.Accept(Cancel);
        await peer.ReadRequest(Cancel);
        var sending = peer.Send(answer, Cancel);
        var fetch = await fetching;
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // Who has heard enough may be gone.
        return fetch;
    }
}
