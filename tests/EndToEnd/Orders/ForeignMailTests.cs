using Grains.Interfaces.Orders;
using Grains.Orders.Lifecycle;
using Grains.Orders.Mail;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>Mails as others read them: taken by a mail server, and read by a package, that know nothing of this project.</summary>
public sealed class ForeignMailTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("foreign-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task AMailGoesOutAfterStartTlsAndALoginAndIsReadAsItWasMeant()
    {
        var (server, _) = await ForeignMailServer.StartSecure(_folder, "shop", "secret", Cancel);
        await using var started = server;
        using var sender = Sender(server, "secret");
        var mail = Compose("Änne\nBcc: all@example.org\nOrd <b>&amp;", "de-AT");

        Assert.Equal(("smtp-250", MailVerdict.Delivered), (await sender.Send(mail, Cancel)) is var outcome ? (outcome.Reason, outcome.Verdict) : default);

        var read = await server.Next(Cancel);
        Assert.Equal(("shop@example.com", "ann@example.org", true, "shop"), (read.From, Assert.Single(read.To), read.Secure, read.Login));
        Assert.Equal(["From", "Date", "Subject", "Message-Id", "To", "Auto-Submitted", "MIME-Version", "Content-Type", "Content-Language"], read.Headers.Select(header => header[0]));
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

    private static SmtpMailSender Sender(ForeignMailServer server, string password) => new(
        new("localhost", server.Port, SmtpSecurity.StartTls) { User = "shop", Password = password, CheckCertificate = (_, certificate, _, _) => certificate?.Subject == "CN=localhost" },
        TimeProvider.System);

    private static OutgoingMail Compose(string customer, string language)
    {
        var asked = new PlaceOrder { Customer = customer, Currency = "EUR", Lines = [new("tee", 2, 450)], Email = "ann@example.org", Language = language };
        var order = OrderLifecycle.Place(IdempotencyKey.Random().OrderId(4), asked, TimeProvider.System.GetUtcNow());
        var change = new OrderChange(1, order, null, null);
        Assert.True(MailRecipient.TryParse(customer, "ann@example.org", out var to, out _));
        Assert.True(MailRecipient.TryParse("The shop", "shop@example.com", out var from, out _));
        return new MailComposer(MailTemplates.BuiltIn, from, "The shop").Compose(change, to);
    }
}
