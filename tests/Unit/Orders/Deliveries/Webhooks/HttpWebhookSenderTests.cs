using System.Net;
using System.Text;
using Doubles.Net;
using Doubles.Orders;
using Grains.Interfaces.Orders;
using Grains.Net;
using Grains.Orders.Deliveries.Webhooks;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Unit.Orders.Deliveries.Webhooks;

/// <summary>Against a receiver that misbehaves, on a network in memory.</summary>
public sealed class HttpWebhookSenderTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _clock = new(Given.Start);
    private readonly MemoryNetwork _network = new();
    private readonly WebhookReceiver _receiver;
    private readonly HttpWebhookSender _sender;
    private readonly WebhookSecret _secret = WebhookSecret.New();

    public HttpWebhookSenderTests()
    {
        _receiver = new(_network);
        _sender = new(_clock, Ranges("127.0.0.0/8"), _network.Resolve, _network.Connect);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _sender.Dispose();
        await _receiver.DisposeAsync();
    }

    [Theory]
    [InlineData(200, WebhookVerdict.Delivered)]
    [InlineData(204, WebhookVerdict.Delivered)]
    [InlineData(400, WebhookVerdict.Retry)]
    [InlineData(404, WebhookVerdict.Retry)]
    [InlineData(410, WebhookVerdict.Disable)]
    [InlineData(429, WebhookVerdict.Throttled)]
    [InlineData(500, WebhookVerdict.Retry)]
    [InlineData(503, WebhookVerdict.Throttled)]
    public async Task AnAnswerIsTakenByItsStatus(int status, WebhookVerdict verdict)
    {
        _receiver.Answer(WebhookAnswer.Status(status));

        var outcome = await Send();

        Assert.Equal((verdict, (int?)status), (outcome.Verdict, outcome.Status));
        Assert.Single(_receiver.Ledger);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task ARedirectIsAFailureAndNeverFollowed(int status)
    {
        _receiver.Answer(WebhookAnswer.Status(status, ("Location", _receiver.Url.AbsoluteUri)));

        var outcome = await Send();

        Assert.Equal((WebhookVerdict.Retry, (int?)status), (outcome.Verdict, outcome.Status));
        Assert.Single(_receiver.Ledger);
    }

    [Fact]
    public async Task TheBeginningOfTheAnswerIsKept()
    {
        _receiver.Answer(
            WebhookAnswer.Status(500),
            WebhookAnswer.Status(204),
            WebhookAnswer.CutInBody(200),
            WebhookAnswer.Text(400, new string('x', 5000))
        );

        Assert.Equal("ok", (await Send()).Answer);
        Assert.Null((await Send()).Answer);
        Assert.Equal("only a part", (await Send()).Answer);
        Assert.Equal(new string('x', HandlingTry.MaxAnswerBytes), (await Send()).Answer);
    }

    [Fact]
    public async Task ACallCarriesWhatTheStandardSaysAndTheReceiverCanVerifyIt()
    {
        await Send();

        var call = Assert.Single(_receiver.Ledger);
        Assert.Equal("POST /hooks HTTP/1.1", call.Line);
        Assert.Equal("application/json", call.Headers["Content-Type"]);
        Assert.Equal("msg_1", call.Id);
        Assert.Equal("1772366400", call.Headers["webhook-timestamp"]);
        Assert.Equal("{}", Encoding.UTF8.GetString(call.Body));
        Assert.Equal(
            SignatureVerdict.Good,
            WebhookSignature.Verify(
                call.Id,
                call.Headers["webhook-timestamp"],
                call.Headers["webhook-signature"],
                call.Body,
                [_secret],
                _clock.GetUtcNow(),
                WebhookSignature.Tolerance
            )
        );
        Assert.Equal(
            ["Content-Length", "Content-Type", "Host", "User-Agent", "webhook-id", "webhook-signature", "webhook-timestamp"],
            call.Headers.Keys.Order(StringComparer.OrdinalIgnoreCase)
        );
    }

    [Fact]
    public async Task ARepeatHasTheSameIdAndBodyAndATimestampOfItsOwn()
    {
        await Send();
        _clock.Advance(TimeSpan.FromMinutes(30));
        await Send();

        Assert.Equal(["msg_1", "msg_1"], _receiver.Ledger.Select(call => call.Id));
        Assert.Equal(_receiver.Ledger[0].Body, _receiver.Ledger[1].Body);
        Assert.Equal(["1772366400", "1772368200"], _receiver.Ledger.Select(call => call.Headers["webhook-timestamp"]));
    }

    [Fact]
    public async Task RetryAfterIsHeardInSecondsAndAsADate()
    {
        _receiver.Answer(
            WebhookAnswer.Status(429, ("Retry-After", "120")),
            WebhookAnswer.Status(503, ("Retry-After", "Sun, 01 Mar 2026 12:05:00 GMT"))
        );

        Assert.Equal(TimeSpan.FromMinutes(2), (await Send()).RetryAfter);
        Assert.Equal(TimeSpan.FromMinutes(5), (await Send()).RetryAfter);
    }

    [Theory]
    [InlineData("-30")]
    [InlineData("0")]
    [InlineData("99999999")]
    [InlineData("later")]
    [InlineData("Sun, 01 Mar 2026 11:00:00 GMT")]
    [InlineData("Tue, 01 Mar 2050 11:00:00 GMT")]
    public async Task ARetryAfterThatIsNonsenseIsNotHeard(string header)
    {
        _receiver.Answer(WebhookAnswer.Status(429, ("Retry-After", header)));

        var outcome = await Send();

        Assert.Equal((WebhookVerdict.Throttled, (TimeSpan?)null), (outcome.Verdict, outcome.RetryAfter));
    }

    [Fact]
    public async Task AHostInItsOwnLettersIsAskedForAsDnsHasIt()
    {
        _network.Name("xn--bcher-kva.example", IPAddress.Loopback);
        Assert.True(
            WebhookUrl.TryParse(
                $"http://bücher.example:{_receiver.Port}/hooks",
                allowHttp: true,
                AddressRanges.None,
                out var url,
                out var error
            ),
            error
        );

        Assert.Equal(WebhookVerdict.Delivered, (await Send(url)).Verdict);
        Assert.Equal($"xn--bcher-kva.example:{_receiver.Port}", Assert.Single(_receiver.Ledger).Headers["Host"]);
    }

    [Theory]
    [InlineData(200, WebhookVerdict.Delivered)]
    [InlineData(500, WebhookVerdict.Retry)]
    public async Task OfABodyWithoutEndOnlySoMuchIsReadAndTheStatusDecides(int status, WebhookVerdict verdict)
    {
        _receiver.Answer(WebhookAnswer.BodyWithoutEnd(status));

        Assert.Equal(verdict, (await Send()).Verdict);

        // The connection has gone: the next call has one of its own.
        await Send();
        Assert.Equal(2, _receiver.Connections);
    }

    [Fact]
    public async Task AReceiverThatSaysNothingIsLeftAfterFifteenSeconds()
    {
        _receiver.Answer(WebhookAnswer.Silence);
        var sending = Send();
        await _receiver.Next(Cancel);

        _clock.Advance(TimeSpan.FromSeconds(14.9));
        Assert.False(sending.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(0.1));

        Assert.Equal(
            new(WebhookVerdict.Retry, "timeout", $"127.0.0.1:{_receiver.Port} did not answer within 15 s.", null, null),
            await sending
        );
    }

    [Fact]
    public async Task ABodyThatNeverComesTakesNothingBackFromItsStatus()
    {
        _receiver.Answer(WebhookAnswer.BodyThatStalls(200));
        var clock = new ClockThatTellsWhenItIsAsked(times: 2);
        using var sender = new HttpWebhookSender(clock, Ranges("127.0.0.0/8"), _network.Resolve, _network.Connect);
        var sending = sender.Send(Request(_receiver.Url), Cancel);

        // The time is asked for to sign, and when the status is there.
        await clock.Asked.WaitAsync(Cancel);
        clock.Advance(TimeSpan.FromSeconds(15));

        Assert.Equal(WebhookVerdict.Delivered, (await sending).Verdict);
    }

    [Fact]
    public async Task AConnectionThatIsCutBeforeTheAnswerIsTriedAgainLater()
    {
        _receiver.Answer(WebhookAnswer.Cut);

        var outcome = await Send();

        Assert.Equal((WebhookVerdict.Retry, "cut"), (outcome.Verdict, outcome.Reason));
        Assert.Single(_receiver.Ledger);
    }

    [Fact]
    public async Task AConnectionThatIsCutWithinTheHeadIsTriedAgainLater()
    {
        _receiver.Answer(WebhookAnswer.CutInHead);

        Assert.Equal(WebhookVerdict.Retry, (await Send()).Verdict);
    }

    [Fact]
    public async Task AConnectionThatIsCutWithinTheBodyTakesNothingBackFromItsStatus()
    {
        _receiver.Answer(WebhookAnswer.CutInBody(200));

        Assert.Equal(WebhookVerdict.Delivered, (await Send()).Verdict);
    }

    [Fact]
    public async Task WhatIsNoHttpIsNamed()
    {
        _receiver.Answer(WebhookAnswer.Raw("220 mail.example.org ESMTP\r\n\r\n"));

        Assert.Equal("bad-http", (await Send()).Reason);
    }

    [Fact]
    public async Task AHeaderWithoutBoundIsNotRead()
    {
        _receiver.Answer(WebhookAnswer.Raw("HTTP/1.1 200 OK\r\nX: " + new string('x', 40_000) + "\r\n\r\n"));

        var outcome = await Send();

        Assert.Equal(("bad-http", WebhookVerdict.Retry), (outcome.Reason, outcome.Verdict));
        Assert.Equal($"The header that 127.0.0.1:{_receiver.Port} sends is longer than 32768 bytes.", outcome.Detail);
    }

    [Fact]
    public async Task WhereNobodyListensItIsUnreachable() =>
        Assert.Equal("unreachable", (await Send(new($"http://127.0.0.1:{_network.FreePort()}/hooks"))).Reason);

    [Fact]
    public async Task AnEndpointWithoutTlsIsNamedWhereTlsIsSpoken()
    {
        var outcome = await Send(new($"https://127.0.0.1:{_receiver.Port}/"));

        Assert.Equal(("tls", WebhookVerdict.Retry), (outcome.Reason, outcome.Verdict));
    }

    [Fact]
    public async Task ACallThatIsCancelledThrows()
    {
        _receiver.Answer(WebhookAnswer.Silence);
        using var cancel = new CancellationTokenSource();
        var sending = _sender.Send(Request(_receiver.Url), cancel.Token);
        await _receiver.Next(Cancel);

        await cancel.CancelAsync();

        await Assert.ThrowsAsync<OperationCanceledException>(() => sending);
    }

    [Fact]
    public Task ADecimalSpellingOfLoopbackIsRefused() => Refused("http://2130706433:{0}/", "loopback");

    [Fact]
    public Task AHexadecimalSpellingOfLoopbackIsRefused() => Refused("http://0x7f.0.0.1:{0}/", "loopback");

    [Fact]
    public Task AnOctalSpellingOfLoopbackIsRefused() => Refused("http://0177.0.0.1:{0}/", "loopback");

    [Fact]
    public Task AShortSpellingOfLoopbackIsRefused() => Refused("http://127.1:{0}/", "loopback");

    [Fact]
    public Task AnIPv4MappedAddressIsRefused() => Refused("http://[::ffff:127.0.0.1]:{0}/", "loopback");

    [Fact]
    public Task ANat64AddressOfAPrivateOneIsRefused() => Refused("http://[64:ff9b::7f00:1]:{0}/", "loopback");

    [Fact]
    public Task A6To4AddressOfAPrivateOneIsRefused() => Refused("http://[2002:7f00:1::]:{0}/", "loopback");

    [Fact]
    public Task TheAddressOfCloudMetadataIsRefused() => Refused("http://169.254.169.254/latest/", "link-local");

    [Fact]
    public Task TheUnspecifiedAddressIsRefused() => Refused("http://0.0.0.0:{0}/", "this network");

    [Fact]
    public Task ANameWithAPrivateAddressIsRefused() => Refused("http://inside.example:{0}/", "loopback", IPAddress.Loopback);

    [Fact]
    public async Task ANameThatIsPublicFirstAndPrivateThenIsRefusedWhereTheConnectionIsMade()
    {
        // Rebinding: whoever looked the name up before saw a public address.
        var lookUps = 0;
        using var sender = new HttpWebhookSender(
            _clock,
            AddressRanges.None,
            (_, _) =>
            {
                lookUps++;
                return Task.FromResult(new[] { IPAddress.Loopback });
            },
            _network.Connect
        );
        Assert.True(
            WebhookUrl.TryParse($"http://rebound.example:{_receiver.Port}/", allowHttp: true, AddressRanges.None, out var url, out _)
        );

        var outcome = await sender.Send(Request(url), Cancel);

        Assert.Equal("private-address", outcome.Reason);
        Assert.Equal(1, lookUps);
        Assert.Equal(0, _receiver.Connections);
    }

    private async Task Refused(string url, string kind, IPAddress? address = null)
    {
        using var sender = new HttpWebhookSender(
            _clock,
            AddressRanges.None,
            (name, _) =>
                address is null ? throw new InvalidOperationException($"{name} was looked up.") : Task.FromResult(new[] { address }),
            _network.Connect
        );

        var outcome = await sender.Send(Request(new(string.Format(null, url, _receiver.Port))), Cancel);

        Assert.Equal((WebhookVerdict.Retry, "private-address"), (outcome.Verdict, outcome.Reason));
        Assert.Contains($"which is {kind} and not among the ranges", outcome.Detail, StringComparison.Ordinal);
        Assert.Equal(0, _receiver.Connections);
    }

    private Task<WebhookOutcome> Send(Uri? url = null) => _sender.Send(Request(url ?? _receiver.Url), Cancel);

    private WebhookRequest Request(Uri url) => new(url, new("msg_1", "order.paid", "{}"u8.ToArray()), [_secret]);

    private static AddressRanges Ranges(string text)
    {
        Assert.True(AddressRanges.TryParse(text, out var ranges, out var error), error);
        return ranges;
    }

    private sealed class ClockThatTellsWhenItIsAsked(int times) : FakeTimeProvider(Given.Start)
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _times;

        public Task Asked => _asked.Task;

        public override DateTimeOffset GetUtcNow()
        {
            if (Interlocked.Increment(ref _times) == times)
            {
                _asked.SetResult();
            }

            return base.GetUtcNow();
        }
    }
}
