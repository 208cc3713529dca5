using System.Net;
using System.Net.Http.Json;
using Grains.Interfaces.Orders;
using Grains.Orders.Deliveries.Mail;
using Grains.Orders.Lifecycle;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>Mails as others read them: taken by a mail server, and read by a package, that know nothing of this project.</summary>
public sealed class ForeignMailTests : IDisposable
{
    private readonly string _folder = Unique.Folder("foreign");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task AMailGoesOutAfterStartTlsAndALoginAndIsReadAsItWasMeant()
    {
        var (server, _) = await ForeignMailServer.StartSecure(_folder, "shop", "secret", Cancel);
        await using var started = server;
        using var sender = Sender(server, "secret");
        var mail = Compose("Änne\nBcc: all@example.org\nOrd <b>&amp;", "de-AT");

        Assert.Equal(
            ("smtp-250", MailVerdict.Delivered),
            (await sender.Send(mail, Cancel)) is var outcome ? (outcome.Reason, outcome.Verdict) : default
        );

        var read = await server.Next(Cancel);
        Assert.Equal(("shop@example.com", "ann@example.org", true, "shop"), (read.From, Assert.Single(read.To), read.Secure, read.Login));
        Assert.Equal(
            ["From", "Date", "Subject", "Message-Id", "To", "Auto-Submitted", "MIME-Version", "Content-Type", "Content-Language"],
            read.Headers.Select(header => header[0])
        );
        Assert.Equal(["Änne Bcc: all@example.org Ord <b>&amp;", "ann@example.org"], Assert.Single(read.Addresses));
        Assert.Equal($"<{mail.MessageId}>", read.Header("Message-Id"));
        Assert.Equal(("multipart/alternative", "de"), (read.Type, read.Header("Content-Language")));
        Assert.Equal([("text/plain", "utf-8"), ("text/html", "utf-8")], read.Parts.Select(part => (part.Type, part.Charset)));
        Assert.StartsWith("Guten Tag Änne", read.Parts[0].Text, StringComparison.Ordinal);
        Assert.Contains("Ord &lt;b&gt;&amp;amp;", read.Parts[1].Text, StringComparison.Ordinal);
        Assert.Empty(read.Defects);
    }

    [Fact]
    public async Task AWrongPasswordIsTriedAgainLater()
    {
        var (server, _) = await ForeignMailServer.StartSecure(_folder, "shop", "secret", Cancel);
        await using var started = server;
        using var sender = Sender(server, "guessed");

        var outcome = await sender.Send(Compose("Ann", "en"), Cancel);

        Assert.Equal((MailVerdict.Retry, 535, false), (outcome.Verdict, outcome.Code, outcome.Suppress));
    }

    [Fact]
    public async Task ASilosMailsArriveAtAServerThatItTrusts()
    {
        using var place = new SiloPlace();
        var (server, certificate) = await ForeignMailServer.StartSecure(_folder, "shop", "secret", Cancel);
        await using var started = server;
        await using var silo = SiloProcess.StartOther(
            "Silo.dll",
            place,
            [("SSL_CERT_FILE", certificate)],
            "--Mail:Host",
            "localhost",
            "--Mail:Port",
            $"{server.Port}",
            "--Mail:User",
            "shop",
            "--Mail:Password",
            "secret",
            "--Mail:From",
            "shop@example.com",
            "--Mail:Shop",
            "Tee & Söhne",
            "--Mail:Unsubscribe",
            "mailto:stop@example.com"
        );
        await Wait.For(silo.Ready, "the silo to be ready", () => silo.AllSaid);
        using var http = new HttpClient { BaseAddress = new($"http://{place.Http}") };

        await Place(http, "Änne Österreich", "de-AT");
        var german = await server.Next(Cancel);
        Assert.Equal(
            ("shop@example.com", "ann@example.org", true, "shop"),
            (german.From, Assert.Single(german.To), german.Secure, german.Login)
        );
        Assert.Matches("^Ihre Bestellung .+ ist eingegangen$", german.Header("Subject"));
        Assert.Equal(["Änne Österreich", "ann@example.org"], Assert.Single(german.Addresses));
        Assert.Equal(["text/plain", "text/html"], german.Parts.Select(part => part.Type));
        Assert.Contains("9,00 EUR", german.Parts[0].Text, StringComparison.Ordinal);
        Assert.Contains("Tee & Söhne", german.Parts[0].Text, StringComparison.Ordinal);
        Assert.Contains("Tee &amp; S", german.Parts[1].Text, StringComparison.Ordinal);
        Assert.Equal("<mailto:stop@example.com>", german.Header("List-Unsubscribe"));
        Assert.Empty(german.Defects);

        // No text is in this language: the fallback's are sent.
        await Place(http, "Ann", "eo");
        var fallback = await server.Next(Cancel);
        Assert.Matches("^Your order .+ has been placed$", fallback.Header("Subject"));
        Assert.Equal("en", fallback.Header("Content-Language"));

        // The door refuses line ends; what is left to try with stays a name.
        Assert.Equal(HttpStatusCode.BadRequest, await Ask(http, "Ann\r\nBcc: all@example.org", "en"));
        const string Eve = "Eve\" <eve@example.org>, \"Bcc: all@example.org";
        await Place(http, Eve, "en");
        var eve = await server.Next(Cancel);
        Assert.Equal([Eve, "ann@example.org"], Assert.Single(eve.Addresses));
        Assert.Equal(["ann@example.org"], eve.To);
        Assert.DoesNotContain(eve.Headers, header => header[0].Equals("Bcc", StringComparison.OrdinalIgnoreCase));
        Assert.Empty(eve.Defects);
    }

    private static async Task Place(HttpClient http, string customer, string language) =>
        Assert.Equal(HttpStatusCode.Created, await Ask(http, customer, language));

    private static async Task<HttpStatusCode> Ask(HttpClient http, string customer, string language)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders")
        {
            Content = JsonContent.Create(
                new
                {
                    customer,
                    currency = "EUR",
                    lines = new[]
                    {
                        new
                        {
                            sku = "tee",
                            quantity = 2,
                            price = 450,
                        },
                    },
                    email = "ann@example.org",
                    language,
                }
            ),
        };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString("n"));
        using var answer = await http.SendAsync(request, Cancel);
        return answer.StatusCode;
    }

    private static SmtpMailSender Sender(ForeignMailServer server, string password) =>
        new(
            new("localhost", server.Port, SmtpSecurity.StartTls)
            {
                User = "shop",
                Password = password,
                CheckCertificate = (_, certificate, _, _) => certificate?.Subject == "CN=localhost",
            },
            TimeProvider.System
        );

    private static OutgoingMail Compose(string customer, string language)
    {
        var asked = new PlaceOrder
        {
            Customer = customer,
            Currency = "EUR",
            Lines = [new("tee", 2, 450)],
            Email = "ann@example.org",
            Language = language,
        };
        var order = OrderLifecycle.Place(IdempotencyKey.Random().OrderId(4), asked, TimeProvider.System.GetUtcNow());
        var change = new OrderChange(1, order, null, null);
        Assert.True(MailRecipient.TryParse(customer, "ann@example.org", out var to, out _));
        Assert.True(MailRecipient.TryParse("The shop", "shop@example.com", out var from, out _));
        return new MailComposer(MailTemplates.BuiltIn, from, "The shop").Compose(change, to);
    }
}
