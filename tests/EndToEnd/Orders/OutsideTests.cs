using System.Text;
using Doubles.Orders;
using Grains.Net;
using Grains.Orders.Deliveries.Mail;
using Grains.Orders.Deliveries.Webhooks;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>
/// The outside world is what the other tests are judged by: it writes down what reached it, tells a good signature from a wrong one, and
/// misbehaves as it is told to.
/// </summary>
public sealed class OutsideTests : IAsyncLifetime
{
    private readonly string _folder = Unique.Folder("outside");
    private readonly WebhookSecret _secret = WebhookSecret.New();
    private readonly HttpWebhookSender _webhooks = new(
        TimeProvider.System,
        AddressRanges.TryParse("127.0.0.0/8", out var loopback, out _) ? loopback : AddressRanges.None
    );
    private OutsideProcess _outside = null!;
    private SmtpMailSender _mail = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _outside = await OutsideProcess.Start(_folder, Cancel);
        _mail = new(new("127.0.0.1", _outside.SmtpPort, SmtpSecurity.None), TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        _webhooks.Dispose();
        _mail.Dispose();
        await _outside.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task CallsAreWrittenDownWithTheirSignaturesVerdictAndAnsweredAsTold()
    {
        await _outside.Secrets("/a", _secret.Text);
        await _outside.Behave(
            "/a",
            new EndpointAnswer
            {
                Status = 503,
                RetryAfter = "7",
                Times = 1,
            },
            new EndpointAnswer { Status = 429, FirstOnly = true }
        );

        Assert.Equal((WebhookVerdict.Throttled, "http-503"), await Send("/a", "m1", _secret));
        Assert.Equal((WebhookVerdict.Delivered, "http-204"), await Send("/a", "m1", _secret));
        Assert.Equal((WebhookVerdict.Throttled, "http-429"), await Send("/a", "m2", WebhookSecret.New()));
        await _outside.Behave("/b", new EndpointAnswer { Manner = EndpointManner.Cuts });
        Assert.Equal((WebhookVerdict.Retry, "cut"), await Send("/b", "m1", _secret));

        Assert.Equal(
            [("m1", "/a", "Good", "503"), ("m1", "/a", "Good", "204"), ("m2", "/a", "Wrong", "429"), ("m1", "/b", "-", "Cuts")],
            (await _outside.Effects(Cancel)).Select(effect => (effect.Id, effect.To, effect.Signature, effect.Answer))
        );
        Assert.Empty(await _outside.Effects(Cancel));
        Assert.Equal((new(3, 2, 1), new(1, 1, 0)), ((await _outside.Counts(Cancel))["/a"], (await _outside.Counts(Cancel))["/b"]));
        Assert.Equal(2, (await _outside.Ids("/a", Cancel))["m1"]);
    }

    [Fact]
    public async Task MailsAreWrittenDownAlsoWhereTheSenderCannotKnow()
    {
        await _outside.Smtp(
            new SmtpAnswer
            {
                At = ".",
                Cuts = true,
                Times = 1,
            },
            new SmtpAnswer
            {
                At = "RCPT",
                Reply = "450 4.2.0 later",
                Times = 1,
            },
            new SmtpAnswer { At = "MAIL", SlowMs = 1 }
        );

        Assert.Equal("smtp-450", await Mail("a.1.mail@shop"));
        Assert.Equal("unknown", await Mail("a.1.mail@shop"));
        Assert.Equal("smtp-250", await Mail("a.1.mail@shop"));

        Assert.Equal(
            [("mail", "a.1.mail@shop", "ann@example.org", "unknown"), ("mail", "a.1.mail@shop", "ann@example.org", "250")],
            (await _outside.Effects(Cancel)).Select(effect => (effect.Channel, effect.Id, effect.To, effect.Answer))
        );
        Assert.Equal(new(2, 1, 0), (await _outside.Counts(Cancel))["smtp"]);
    }

    private async Task<(WebhookVerdict, string)> Send(string path, string id, WebhookSecret secret)
    {
        var outcome = await _webhooks.Send(
            new(
                _outside.Url(path),
                new(id, "order.placed", Encoding.UTF8.GetBytes("""{"type":"order.placed","timestamp":"2026-03-01T12:00:00Z","data":{}}""")),
                [secret]
            ),
            Cancel
        );
        return (outcome.Verdict, outcome.Reason);
    }

    private async Task<string> Mail(string id) =>
        (
            await _mail.Send(
                new(
                    id,
                    "shop@example.com",
                    "ann@example.org",
                    Encoding.ASCII.GetBytes(
                        $"Message-Id: <{id}>\r\nFrom: shop@example.com\r\nTo: ann@example.org\r\nSubject: x\r\n\r\nText\r\n"
                    )
                ),
                Cancel
            )
        ).Reason;
}
