using System.Text;
using Doubles.Net;
using Doubles.Orders;
using Grains.Orders.Deliveries.Mail;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Unit.Orders.Deliveries.Mail;

/// <summary>Against a server that misbehaves, on a network in memory.</summary>
public sealed class SmtpMailSenderTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _clock = new(Given.Start);
    private readonly MemoryNetwork _network = new();
    private readonly SmtpServer _server;
    private SmtpMailSender _sender;

    public SmtpMailSenderTests()
    {
        _server = new(_network);
        _sender = Sender();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _sender.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task AMailArrivesAsItWasMade()
    {
        var mail = Mail();

        var outcome = await _sender.Send(mail, Cancel);

        Assert.Equal(new(MailVerdict.Delivered, "smtp-250", "Taken by the server.", 250, Suppress: false), outcome);
        var received = Assert.Single(_server.Ledger);
        Assert.Equal(("shop@example.com", "ann@example.org"), (received.From, received.To));
        Assert.Equal(Encoding.ASCII.GetString(mail.Bytes.Span), received.Text);
    }

    [Theory]
    [InlineData("MAIL", 421)]
    [InlineData("MAIL", 450)]
    [InlineData("MAIL", 451)]
    [InlineData("MAIL", 452)]
    [InlineData("RCPT", 421)]
    [InlineData("RCPT", 450)]
    [InlineData("RCPT", 451)]
    [InlineData("RCPT", 452)]
    [InlineData("DATA", 421)]
    [InlineData("DATA", 451)]
    [InlineData(".", 421)]
    [InlineData(".", 450)]
    [InlineData(".", 451)]
    [InlineData(".", 452)]
    public async Task A4yzIsTriedAgainWhereverItComes(string at, int code)
    {
        _server.Fail(code == 421 ? SmtpFault.HangsUp(at, "421 4.3.2 closing") : SmtpFault.Says(at, $"{code} 4.3.0 later"));

        var outcome = await _sender.Send(Mail(), Cancel);

        Assert.Equal(
            (MailVerdict.Retry, $"smtp-{code}", (int?)code, false),
            (outcome.Verdict, outcome.Reason, outcome.Code, outcome.Suppress)
        );
        Assert.Empty(_server.Ledger);
        await TheNextTryArrivesOnce();
    }

    [Theory]
    [InlineData("RCPT", 550, "5.1.1 unknown", true)]
    [InlineData("RCPT", 554, "no", true)]
    [InlineData("RCPT", 550, "5.7.1 relaying denied", false)]
    [InlineData("DATA", 554, "5.7.1 no", false)]
    [InlineData(".", 550, "5.1.1 unknown", true)]
    [InlineData(".", 552, "5.2.3 too long for this mailbox", false)]
    [InlineData("RCPT", 552, "5.3.4 too long for us", false)]
    [InlineData(".", 554, "5.6.0 bad content", false)]
    public async Task A5yzIsFinalAndSuppressesTheAddressWhereItIsAboutIt(string at, int code, string words, bool suppresses)
    {
        _server.Fail(SmtpFault.Says(at, $"{code} {words}"));

        var outcome = await _sender.Send(Mail(), Cancel);

        Assert.Equal((MailVerdict.Refused, $"smtp-{code}", suppresses), (outcome.Verdict, outcome.Reason, outcome.Suppress));
        Assert.Empty(_server.Ledger);
    }

    [Theory]
    [InlineData("RCPT", "552 5.2.2 mailbox full")]
    [InlineData("RCPT", "550 5.2.2 over quota")]
    [InlineData("RCPT", "550-5.2.2 over quota\r\n550 5.2.2 ask the owner to make room")]
    [InlineData("DATA", "554 5.2.2 over quota")]
    [InlineData(".", "552 5.2.2 mailbox full")]
    [InlineData(".", "552 storage exceeded")]
    public async Task AFullMailboxIsTriedAgainAndIsNoBounce(string at, string reply)
    {
        _server.Fail(SmtpFault.Says(at, reply));

        var outcome = await _sender.Send(Mail(), Cancel);

        Assert.Equal((MailVerdict.Retry, $"smtp-{reply[..3]}", false), (outcome.Verdict, outcome.Reason, outcome.Suppress));
        await TheNextTryArrivesOnce();
    }

    [Fact]
    public async Task AnAddressBeyondAsciiBeforeItsAtGoesOutWhereTheServerTakesIt()
    {
        _server.Extensions = ["8BITMIME", "SMTPUTF8"];

        Assert.Equal(MailVerdict.Delivered, (await _sender.Send(Mail() with { To = "änne@xn--bcher-kva.example" }, Cancel)).Verdict);
        Assert.Equal("änne@bücher.example", Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(Assert.Single(_server.Ledger).To)));
    }

    [Fact]
    public async Task AnAddressBeyondAsciiBeforeItsAtIsRefusedWithItsReasonWhereTheServerTakesNoneAndTheConnectionIsKept()
    {
        var outcome = await _sender.Send(Mail() with { To = "änne@example.org" }, Cancel);

        Assert.Equal(
            (MailVerdict.Refused, "smtputf8", false, false),
            (outcome.Verdict, outcome.Reason, outcome.Suppress, outcome.IsOfServer)
        );
        Assert.Contains("SMTPUTF8", outcome.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("MAIL", _server.Commands);
        await TheNextTryArrivesOnce();
        Assert.Equal(1, _server.Connections);
    }

    [Fact]
    public async Task AServersNameInItsOwnLettersIsLookedUpAsDnsHasIt()
    {
        _network.Name("xn--bcher-kva.example", System.Net.IPAddress.Loopback);
        Use(Sender(settings => settings with { Host = "bücher.example" }));

        Assert.Equal(MailVerdict.Delivered, (await _sender.Send(Mail(), Cancel)).Verdict);
    }

    [Theory]
    [InlineData("connect", "421 4.3.2 busy")]
    [InlineData("connect", "554 5.3.2 no service here")]
    [InlineData("MAIL", "550 5.7.1 not your domain")]
    public async Task ARefusalOfTheSessionIsNotTheRecipients(string at, string reply)
    {
        _server.Fail(SmtpFault.HangsUp(at, reply));

        var outcome = await _sender.Send(Mail(), Cancel);

        Assert.Equal((MailVerdict.Retry, $"smtp-{reply[..3]}", false), (outcome.Verdict, outcome.Reason, outcome.Suppress));
        await TheNextTryArrivesOnce();
    }

    [Theory]
    [InlineData("connect")]
    [InlineData("EHLO")]
    [InlineData("MAIL")]
    [InlineData("RCPT")]
    [InlineData("DATA")]
    public async Task AConnectionThatIsCutBeforeTheMessageIsTriedAgain(string at)
    {
        _server.Fail(SmtpFault.Cut(at));

        var outcome = await _sender.Send(Mail(), Cancel);

        Assert.Equal((MailVerdict.Retry, "cut"), (outcome.Verdict, outcome.Reason));
        await TheNextTryArrivesOnce();
    }

    [Fact]
    public async Task AConnectionThatIsCutBeforeTheFinalDotWentOutIsTriedAgain()
    {
        _server.Fail(SmtpFault.Cut("body"));

        // More than the buffers between us hold, so that the cut is met while the message goes out.
        var outcome = await _sender.Send(Mail(bytes: 1024 * 1024), Cancel);

        Assert.Equal((MailVerdict.Retry, "cut"), (outcome.Verdict, outcome.Reason));
        Assert.Empty(_server.Ledger);
        await TheNextTryArrivesOnce();
    }

    [Fact]
    public async Task AConnectionThatIsCutAfterTheFinalDotIsUnknownAndTheRepeatHasTheSameMessageId()
    {
        _server.Fail(SmtpFault.Cut("."));

        var outcome = await _sender.Send(Mail(), Cancel);

        Assert.Equal((MailVerdict.Unknown, "unknown", false), (outcome.Verdict, outcome.Reason, outcome.Suppress));
        Assert.Equal(MailVerdict.Delivered, (await _sender.Send(Mail(), Cancel)).Verdict);
        Assert.Equal([false, true], _server.Ledger.Select(mail => mail.IsAcknowledged));
        Assert.Equal(["<03-a.1.mail@example.com>", "<03-a.1.mail@example.com>"], _server.Ledger.Select(mail => mail.Header("Message-Id")));
    }

    [Theory]
    [InlineData("connect", MailVerdict.Retry, "timeout")]
    [InlineData("EHLO", MailVerdict.Retry, "timeout")]
    [InlineData("RCPT", MailVerdict.Retry, "timeout")]
    [InlineData(".", MailVerdict.Unknown, "unknown")]
    public async Task AServerThatSaysNothingIsLeftWhenTheTimeIsOver(string at, MailVerdict verdict, string reason)
    {
        _server.Fail(SmtpFault.Silence(at));
        var sending = _sender.Send(Mail(), Cancel);
        await _server.Reaches(at, Cancel);

        _clock.Advance(TimeSpan.FromMinutes(2));

        var outcome = await sending;
        Assert.Equal((verdict, reason), (outcome.Verdict, outcome.Reason));
    }

    [Fact]
    public async Task ATryThatIsCancelledThrows()
    {
        _server.Fail(SmtpFault.Silence("MAIL"));
        using var cancel = new CancellationTokenSource();
        var sending = _sender.Send(Mail(), cancel.Token);
        await _server.Reaches("MAIL", Cancel);

        await cancel.CancelAsync();

        await Assert.ThrowsAsync<OperationCanceledException>(() => sending);
        await TheNextTryArrivesOnce();
    }

    [Fact]
    public async Task WhereNobodyListensItIsUnreachable()
    {
        Use(Sender(settings => settings with { Port = _network.FreePort() }));

        var outcome = await _sender.Send(Mail(), Cancel);

        Assert.Equal((MailVerdict.Retry, "unreachable"), (outcome.Verdict, outcome.Reason));
    }

    [Fact]
    public async Task AConnectionIsKeptForTheNextMail()
    {
        await _sender.Send(Mail(), Cancel);
        await _sender.Send(Mail(), Cancel);

        Assert.Equal(1, _server.Connections);
        Assert.Equal(2, _server.Ledger.Count);
    }

    [Fact]
    public async Task AKeptConnectionThatTheServerHasClosedIsReplacedWithinTheTry()
    {
        await _sender.Send(Mail(), Cancel);
        _server.Fail(SmtpFault.HangsUp("MAIL", "421 4.4.2 idle for too long"));

        Assert.Equal(MailVerdict.Delivered, (await _sender.Send(Mail(), Cancel)).Verdict);

        _server.Fail(SmtpFault.Cut("MAIL"));
        Assert.Equal(MailVerdict.Delivered, (await _sender.Send(Mail(), Cancel)).Verdict);
        Assert.Equal(3, _server.Connections);
    }

    [Fact]
    public async Task AConnectionThatWasIdleForLongIsNotUsedAgain()
    {
        await _sender.Send(Mail(), Cancel);
        _clock.Advance(TimeSpan.FromSeconds(31));
        await _sender.Send(Mail(), Cancel);

        Assert.Equal(2, _server.Connections);
    }

    [Fact]
    public async Task AfterSoManyMailsAConnectionIsReplaced()
    {
        Use(Sender(settings => settings with { MaxMailsPerConnection = 2 }));
        for (var i = 0; i < 5; i++)
        {
            await _sender.Send(Mail(), Cancel);
        }

        Assert.Equal(3, _server.Connections);
    }

    [Fact]
    public async Task NoMoreConnectionsAreOpenThanTheSettingSays()
    {
        Use(Sender(settings => settings with { MaxConnections = 2 }));
        var gate = new TaskCompletionSource();
        _server.Gate = gate.Task;
        var sending = Enumerable.Range(0, 10).Select(_ => _sender.Send(Mail(), Cancel)).ToList();
        await _server.Reaches("DATA", Cancel);
        await _server.Reaches("DATA", Cancel);
        gate.SetResult();

        Assert.All(await Task.WhenAll(sending), outcome => Assert.Equal(MailVerdict.Delivered, outcome.Verdict));
        Assert.Equal(2, _server.MostOpen);
        Assert.Equal(10, _server.Ledger.Count);
    }

    [Fact]
    public async Task StartTlsIsSpokenAndThenTheLogin()
    {
        using var certificate = SmtpServer.SelfSigned();
        _server.Certificate = certificate;
        _server.Login = ("shop", "secret");
        Use(
            Sender(settings =>
                settings with
                {
                    Security = SmtpSecurity.StartTls,
                    User = "shop",
                    Password = "secret",
                    CheckCertificate = (_, given, _, _) => given!.GetCertHashString() == certificate.GetCertHashString(),
                }
            )
        );

        Assert.Equal(MailVerdict.Delivered, (await _sender.Send(Mail(), Cancel)).Verdict);
        Assert.Equal(["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"], _server.Commands);
    }

    [Fact]
    public async Task ACertificateThatNobodySignedIsRefused()
    {
        using var certificate = SmtpServer.SelfSigned();
        _server.Certificate = certificate;
        Use(Sender(settings => settings with { Security = SmtpSecurity.StartTls }));

        var outcome = await _sender.Send(Mail(), Cancel);

        Assert.Equal((MailVerdict.Retry, "tls"), (outcome.Verdict, outcome.Reason));
        Assert.Empty(_server.Ledger);
    }

    [Fact]
    public async Task AServerWithoutStartTlsGetsNoMailWhereTheSettingAsksForIt()
    {
        Use(Sender(settings => settings with { Security = SmtpSecurity.StartTls }));

        var outcome = await _sender.Send(Mail(), Cancel);

        Assert.Equal((MailVerdict.Retry, "tls"), (outcome.Verdict, outcome.Reason));
        Assert.DoesNotContain("MAIL", _server.Commands);
    }

    [Fact]
    public async Task AWrongPasswordLosesNoMail()
    {
        _server.Login = ("shop", "secret");
        Use(Sender(settings => settings with { User = "shop", Password = "wrong" }));

        var outcome = await _sender.Send(Mail(), Cancel);

        Assert.Equal((MailVerdict.Retry, "smtp-535", false), (outcome.Verdict, outcome.Reason, outcome.Suppress));
        Assert.Equal(
            "The session was refused with 535 5.7.8: wrong user or password (the mail settings, not the recipient)",
            outcome.Detail
        );
    }

    [Fact]
    public async Task AServerThatOffersBdatGetsAFinalDotAllTheSame()
    {
        _server.Extensions = ["CHUNKING", "PIPELINING", "8BITMIME"];

        Assert.Equal(MailVerdict.Delivered, (await _sender.Send(Mail(), Cancel)).Verdict);
        Assert.Contains("DATA", _server.Commands);
    }

    private async Task TheNextTryArrivesOnce()
    {
        Assert.Equal(MailVerdict.Delivered, (await _sender.Send(Mail(), Cancel)).Verdict);
        Assert.Single(_server.Ledger);
    }

    private void Use(SmtpMailSender sender)
    {
        _sender.Dispose();
        _sender = sender;
    }

    private SmtpMailSender Sender(Func<SmtpSettings, SmtpSettings>? change = null)
    {
        var settings = new SmtpSettings("127.0.0.1", _server.Port, SmtpSecurity.None);
        return new(change?.Invoke(settings) ?? settings, _clock, _network.Resolve, _network.Connect);
    }

    private static OutgoingMail Mail(int bytes = 0)
    {
        var filler = string.Concat(Enumerable.Repeat(new string('x', 70) + "\r\n", bytes / 72));
        var text =
            $"From: shop@example.com\r\nTo: ann@example.org\r\nSubject: A\r\nDate: Sun, 01 Mar 2026 12:00:00 "
            + $"+0000\r\nMessage-Id: <03-a.1.mail@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
            + $"charset=us-ascii\r\n\r\nHello\r\n.\r\n..dots\r\n{filler}";
        return new("03-a.1.mail@example.com", "shop@example.com", "ann@example.org", Encoding.ASCII.GetBytes(text));
    }
}

public sealed class PickupMailSenderTests : IDisposable
{
    private readonly string _folder = Path.Combine(Directory.CreateTempSubdirectory("mail-pickup").FullName, "mail");
    private readonly List<string> _flushed = [];
    private readonly PickupMailSender _sender;

    public PickupMailSenderTests() => _sender = new(_folder, _flushed.Add);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_folder)!, recursive: true);

    [Fact]
    public async Task AMailIsAFileUnderItsMessageIdAndTheFolderIsFlushed()
    {
        var outcome = await _sender.Send(Mail("03-a.1.mail@example.com", "one"), Cancel);

        Assert.Equal(
            (MailVerdict.Delivered, "written", "Written to 03-a.1.mail@example.com.eml."),
            (outcome.Verdict, outcome.Reason, outcome.Detail)
        );
        Assert.Equal("one", await File.ReadAllTextAsync(Path.Combine(_folder, "03-a.1.mail@example.com.eml"), Cancel));
        Assert.Equal([_folder], _flushed);
    }

    [Fact]
    public async Task ARepeatReplacesItselfAndNothingIsLeftBeside()
    {
        await _sender.Send(Mail("03-a.1.mail@example.com", "one"), Cancel);
        await _sender.Send(Mail("03-a.1.mail@example.com", "two"), Cancel);

        Assert.Equal("two", await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(_folder)), Cancel));
    }

    [Theory]
    [InlineData("../../etc/passwd@x", "_.._.._etc_passwd@x")]
    [InlineData("a/b\\c:d@x", "a_b_c_d@x")]
    [InlineData("", "_")]
    public void NoMessageIdLeadsOutOfTheFolder(string messageId, string name) => Assert.Equal(name, PickupMailSender.Name(messageId));

    [Fact]
    public void WhatCrashesLeftIsSweptWhenItIsOldEnough()
    {
        Assert.Equal(0, _sender.Sweep(Given.Start));
        Directory.CreateDirectory(_folder);
        foreach (var (name, age) in (ReadOnlySpan<(string, int)>)[(".a.eml.1.part", 61), (".b.eml.2.part", 59), ("c.eml", 61)])
        {
            File.WriteAllText(Path.Combine(_folder, name), "x");
            File.SetLastWriteTimeUtc(Path.Combine(_folder, name), Given.Start.UtcDateTime.AddMinutes(-age));
        }

        Assert.Equal(1, _sender.Sweep(Given.Start.AddHours(-1)));
        Assert.Equal([".b.eml.2.part", "c.eml"], Directory.GetFiles(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task AFolderThatCannotBeWrittenIsTriedAgainLater()
    {
        await File.WriteAllTextAsync(_folder, "a file where the folder would be", Cancel);

        var outcome = await _sender.Send(Mail("03-a.1.mail@example.com", "one"), Cancel);

        Assert.Equal((MailVerdict.Retry, "pickup"), (outcome.Verdict, outcome.Reason));
    }

    [Fact]
    public async Task AFlushThatFailsIsNoDelivery()
    {
        var sender = new PickupMailSender(_folder, _ => throw new IOException("No disk."));

        Assert.Equal(MailVerdict.Retry, (await sender.Send(Mail("03-a.1.mail@example.com", "one"), Cancel)).Verdict);
    }

    private static OutgoingMail Mail(string id, string text) =>
        new(id, "shop@example.com", "ann@example.org", Encoding.ASCII.GetBytes(text));
}
