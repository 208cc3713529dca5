using System.Text;
using Grains.Interfaces.Orders;
using Grains.Orders.Deliveries.Mail;
using MimeKit;
using Xunit;

namespace Unit.Orders.Deliveries.Mail;

public sealed class MailComposerTests
{
    private readonly MailComposer _composer = new(MailTemplates.BuiltIn, Mailbox("The shop", "shop@example.com"), "The shop");

    [Fact]
    public void EveryTryIsTheSameBytesWithTheSameMessageId()
    {
        var change = Change(Given.Placed());
        var mail = _composer.Compose(change, Mailbox("Ann", "ann@example.org"));

        Assert.Equal($"{Given.Id()}.1.mail@example.com", mail.MessageId);
        Assert.Equal(mail.Bytes.ToArray(), _composer.Compose(change, Mailbox("Ann", "ann@example.org")).Bytes.ToArray());
        Assert.Equal(mail.MessageId, Read(mail).MessageId);
        Assert.Equal(Given.Start, Read(mail).Date);
    }

    [Fact]
    public void AnotherVersionIsAnotherMail() =>
        Assert.NotEqual(MailComposer.MessageId(Given.Id(), 1, "example.com"), MailComposer.MessageId(Given.Id(), 2, "example.com"));

    [Fact]
    public void ItHasAPlainPartAndAnHtmlPartInTheCustomersLanguage()
    {
        var message = Read(
            _composer.Compose(Change(Given.Placed() with { Language = "de-AT" }), Mailbox("Änne Österreich", "ann@example.org"))
        );

        Assert.Equal($"Ihre Bestellung {Given.Id()} ist eingegangen", message.Subject);
        Assert.StartsWith("Guten Tag ann,", message.TextBody, StringComparison.Ordinal);
        Assert.Contains("<p>Guten Tag ann,</p>", message.HtmlBody, StringComparison.Ordinal);
        Assert.Equal("Änne Österreich", message.To.Mailboxes.Single().Name);
        Assert.Equal("de", message.Body!.Headers[HeaderId.ContentLanguage]);
        Assert.Equal("auto-generated", message.Headers["Auto-Submitted"]);
        Assert.Equal(
            ["text/plain", "text/html"],
            Assert.IsType<MultipartAlternative>(message.Body).Select(part => part.ContentType.MimeType)
        );
    }

    [Fact]
    public void OnTheWireItIsAsciiWithShortLinesEndedByCrLf()
    {
        var order = Given.Placed() with { Customer = new string('ä', 200), Language = "de", Lines = [new(new string('ö', 64), 1, 1)] };
        var mail = _composer.Compose(Change(order), Mailbox(new string('ü', 100), "ann@bücher.example"));
        var text = Encoding.Latin1.GetString(mail.Bytes.Span);

        Assert.Equal("ann@xn--bcher-kva.example", mail.To);
        Assert.Contains("<ann@xn--bcher-kva.example>", text, StringComparison.Ordinal);

        Assert.True(text.All(char.IsAscii));
        Assert.All(text.Split("\r\n"), line => Assert.InRange(line.Length, 0, 78));
        Assert.DoesNotContain('\n', text.Replace("\r\n", "", StringComparison.Ordinal));
        Assert.DoesNotContain('\r', text.Replace("\r\n", "", StringComparison.Ordinal));
        Assert.EndsWith("\r\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Ann\r\nBcc: all@example.org")]
    [InlineData("Ann\nBcc: all@example.org")]
    [InlineData("Ann\rBcc: all@example.org")]
    [InlineData("Ann\u2028Bcc: all@example.org")]
    [InlineData("Ann\u0085Bcc: all@example.org")]
    [InlineData("Ann\0Bcc: all@example.org")]
    [InlineData("Ann\r\n\r\nThe body begins here. Bcc: all@example.org")]
    public void ANameDoesNotBecomeAHeader(string name)
    {
        var order = Given.Placed() with { Customer = name };
        var message = Read(_composer.Compose(Change(order), Mailbox(name, "ann@example.org")));

        Assert.Equal(
            ["From", "Date", "Subject", "Message-Id", "To", "Auto-Submitted", "MIME-Version"],
            message.Headers.Select(header => header.Field)
        );
        Assert.Equal("ann@example.org", Assert.Single(message.To.Mailboxes).Address);
        Assert.Empty(message.Bcc);
        Assert.StartsWith("Ann ", message.To.Mailboxes.Single().Name, StringComparison.Ordinal);
    }

    [Fact]
    public void ASubjectDoesNotBecomeAHeaderAndIsCut()
    {
        var templates = MailTemplates.Build([("order.placed.en.txt", "Subject: For {{customer}}\n\nText\n"u8.ToArray())], "en").Templates!;
        var composer = new MailComposer(templates, Mailbox(null, "shop@example.com"), "");

        var message = Read(
            composer.Compose(
                Change(Given.Placed() with { Customer = "a\r\nBcc: all@example.org " + new string('b', 300) }),
                Mailbox(null, "ann@example.org")
            )
        );

        Assert.Empty(message.Bcc);
        Assert.Equal(200, message.Subject!.Length);
        Assert.StartsWith("For a  Bcc: all@example.org bbb", message.Subject, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("=?utf-8?q?Boss?= ")]
    [InlineData("=?utf-8?q?The_bank?= <no-reply@bank.example>, ann")]
    [InlineData("a =?iso-8859-1?B?Qm9zcw==?= and =?x")]
    [InlineData("Ünal =?utf-8?q?Boss?=")]
    public void ANameThatLooksLikeAnEncodedWordIsReadAsItWasWritten(string name)
    {
        var templates = MailTemplates.Build([("order.placed.en.txt", "Subject: For {{customer}}\n\nText\n"u8.ToArray())], "en").Templates!;
        var composer = new MailComposer(templates, Mailbox(name, "shop@example.com"), "");

        var mail = composer.Compose(Change(Given.Placed() with { Customer = name }), Mailbox(name, "ann@example.org"));
        var message = Read(mail);

        Assert.Equal((name.Trim(), "ann@example.org"), (Assert.Single(message.To.Mailboxes).Name, message.To.Mailboxes.Single().Address));
        Assert.Equal(
            (name.Trim(), "shop@example.com"),
            (Assert.Single(message.From.Mailboxes).Name, message.From.Mailboxes.Single().Address)
        );
        Assert.Equal("For " + name.Trim(), message.Subject);
        Assert.All(Encoding.ASCII.GetString(mail.Bytes.Span).Split("\r\n"), line => Assert.InRange(line.Length, 0, 78));
    }

    [Fact]
    public void AnAddressBeyondAsciiBeforeItsAtGoesOutInUtf8AndTheNameBesideItToo()
    {
        var mail = _composer.Compose(Change(Given.Placed()), Mailbox("Änne", "änne@bücher.example"));

        Assert.Equal("änne@xn--bcher-kva.example", mail.To);
        Assert.Contains("<änne@bücher.example>\r\n", Encoding.UTF8.GetString(mail.Bytes.Span), StringComparison.Ordinal);
    }

    [Fact]
    public void OneClickIsOfferedWhereThereIsAPlaceForIt()
    {
        var change = Change(Given.Placed());
        var (none, https, mailto) = (
            Read(_composer.Compose(change, Mailbox(null, "ann@example.org"))),
            Read(_composer.Compose(change, Mailbox(null, "ann@example.org"), new("https://example.com/u/1"))),
            Read(_composer.Compose(change, Mailbox(null, "ann@example.org"), new("mailto:stop@example.com")))
        );

        Assert.Null(none.Headers[HeaderId.ListUnsubscribe]);
        Assert.Equal(
            ("<https://example.com/u/1>", "List-Unsubscribe=One-Click"),
            (https.Headers[HeaderId.ListUnsubscribe], https.Headers[HeaderId.ListUnsubscribePost])
        );
        Assert.Equal(
            ("<mailto:stop@example.com>", null),
            (mailto.Headers[HeaderId.ListUnsubscribe], mailto.Headers[HeaderId.ListUnsubscribePost])
        );
        Assert.Throws<ArgumentException>(() => _composer.Compose(change, Mailbox(null, "ann@example.org"), new("http://example.com/")));
    }

    private static OrderChange Change(Order order) => new(1, order, null, null);

    private static MimeMessage Read(OutgoingMail mail) => MimeMessage.Load(new MemoryStream(mail.Bytes.ToArray()));

    private static MailboxAddress Mailbox(string? name, string address)
    {
        Assert.True(MailRecipient.TryParse(name, address, out var mailbox, out var error), error);
        return mailbox;
    }
}

public sealed class MailRecipientTests
{
    public static TheoryData<string, bool> Emails =>
        [.. Given.Rows("emails.tsv").Select(row => (row[0], row[1].StartsWith("good", StringComparison.Ordinal)))];

    [Theory]
    [MemberData(nameof(Emails))]
    public void WhatAnOrderTakesAsAnAddressMailTakesToo(string address, bool isGood) =>
        Assert.Equal(isGood, MailRecipient.TryParse(null, address, out _, out _));

    [Theory]
    [InlineData("ann@bücher.example", "ann@xn--bcher-kva.example")]
    [InlineData("ann@EXAMPLE.org", "ann@example.org")]
    [InlineData("Ann@例え.テスト", "Ann@xn--r8jz45g.xn--zckzah")]
    public void ADomainGoesOutAsDnsWritesIt(string written, string address)
    {
        Assert.True(MailRecipient.TryParse("Ann", written, out var mailbox, out _));
        Assert.Equal(address, mailbox.GetAddress(idnEncode: true));
    }

    [Theory]
    [InlineData("ann@example.org\r\nBcc: all@example.org")]
    [InlineData("ann@example.org>\r\nRCPT TO:<all@example.org")]
    [InlineData("ann\r\n@example.org")]
    [InlineData("ann@example.org ")]
    [InlineData("ann@example.org,all@example.org")]
    [InlineData("<ann@example.org>")]
    [InlineData("ann@[127.0.0.1]")]
    [InlineData("ann@.")]
    [InlineData(null)]
    public void NothingButOneAddressIsTaken(string? address)
    {
        Assert.False(MailRecipient.TryParse(null, address, out var mailbox, out var error));
        Assert.Null(mailbox);
        Assert.EndsWith(".", error, StringComparison.Ordinal);
    }

    [Fact]
    public void AnOverlongNameIsCutAndNoCharacterInHalf()
    {
        Assert.True(MailRecipient.TryParse(new string('a', 69) + "😀", "ann@example.org", out var mailbox, out _));
        Assert.Equal(new string('a', 69), mailbox.Name);
        Assert.True(MailRecipient.TryParse(new string('ü', 100), "ann@example.org", out mailbox, out _));
        Assert.Equal(new string('ü', 22), mailbox.Name);
        Assert.True(MailRecipient.TryParse(new string('a', 43) + "😀", "ann@example.org", out mailbox, out _));
        Assert.Equal(new string('a', 43), mailbox.Name);
    }

    [Fact]
    public void AnOverlongAddressIsRefused() =>
        Assert.False(
            MailRecipient.TryParse(null, "ann@" + string.Join('.', Enumerable.Repeat(new string('a', 60), 5)) + ".org", out _, out _)
        );
}

public sealed class SuppressionTests
{
    [Fact]
    public void SpellingsThatNoServerTellsApartHaveOneKeyAndItSaysNothingOfThem()
    {
        Assert.Equal(Suppression.Key("ann@example.org"), Suppression.Key("Ann@Example.ORG"));
        Assert.Equal(Suppression.Key("ann@bücher.example"), Suppression.Key("Ann@xn--bcher-kva.example"));
        Assert.NotEqual(Suppression.Key("ann@example.org"), Suppression.Key("anne@example.org"));
        Assert.Matches("^[0-9a-f]{64}$", Suppression.Key("ann@example.org"));
    }

    [Fact]
    public void OnlyARefusalOfTheAddressMakesOne()
    {
        var outcome = MailOutcome.Answered(SmtpStage.Recipient, 550, "5.1.1 <ann@example.org> is unknown here");
        var suppression = Suppression.Of("Ann@example.org", outcome, Given.Start);

        Assert.Equal("a…@example.org", suppression.Masked);
        Assert.Equal("The recipient was refused with 550 5.1.1: … is unknown here", suppression.Detail);
        Assert.DoesNotContain("ann", suppression.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.Throws<ArgumentException>(() =>
            Suppression.Of("ann@example.org", MailOutcome.Answered(SmtpStage.Recipient, 450, "later"), Given.Start)
        );
    }
}

public sealed class MailOutcomeTests
{
    [Theory]
    [InlineData(SmtpStage.Recipient, 450, "4.2.1 later", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Message, 452, "4.3.1 no room", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Connection, 421, "4.3.2 closing", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Recipient, 550, "5.1.1 unknown", MailVerdict.Refused, true)]
    [InlineData(SmtpStage.Recipient, 550, "no such user", MailVerdict.Refused, true)]
    [InlineData(SmtpStage.Recipient, 552, "5.2.2 full", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Recipient, 550, "5.2.2 full", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Recipient, 550, "#5.2.2 full", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Message, 554, "5.2.2 full", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Message, 552, "storage exceeded", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Recipient, 552, "quota", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Recipient, 550, "4.2.2 full", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Recipient, 452, "4.2.2 full", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Message, 552, "5.3.1 system full", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Recipient, 550, "5.4.5 congestion", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Recipient, 550, "5.2.1 disabled", MailVerdict.Refused, true)]
    [InlineData(SmtpStage.Recipient, 551, "5.1.6 moved", MailVerdict.Refused, true)]
    [InlineData(SmtpStage.Recipient, 553, "(5.1.3): bad name", MailVerdict.Refused, true)]
    [InlineData(SmtpStage.Recipient, 552, "5.2.3 too long for this mailbox", MailVerdict.Refused, false)]
    [InlineData(SmtpStage.Message, 552, "5.2.3 too long for this mailbox", MailVerdict.Refused, false)]
    [InlineData(SmtpStage.Recipient, 550, "5.2.4 list", MailVerdict.Refused, false)]
    [InlineData(SmtpStage.Recipient, 552, "5.3.4 too big", MailVerdict.Refused, false)]
    [InlineData(SmtpStage.Recipient, 550, "5.7.26 unauthenticated", MailVerdict.Refused, false)]
    [InlineData(SmtpStage.Recipient, 550, "5.4.1 no route", MailVerdict.Refused, false)]
    [InlineData(SmtpStage.Recipient, 550, "5.1.8 sender's domain unknown", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Message, 550, "5.1.7 sender refused", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Recipient, 550, "5.7.1 relaying denied", MailVerdict.Refused, false)]
    [InlineData(SmtpStage.Message, 554, "no", MailVerdict.Refused, true)]
    [InlineData(SmtpStage.Message, 552, "5.3.4 too big", MailVerdict.Refused, false)]
    [InlineData(SmtpStage.Message, 554, "5.6.0 bad content", MailVerdict.Refused, false)]
    [InlineData(SmtpStage.Message, 554, "5.7.1 looks like spam", MailVerdict.Refused, false)]
    [InlineData(SmtpStage.Connection, 535, "5.7.8 wrong password", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Connection, 554, "no service here", MailVerdict.Retry, false)]
    [InlineData(SmtpStage.Sender, 550, "5.7.1 not your domain", MailVerdict.Retry, false)]
    public void AReplyDecidesAndSuppressesOnlyWhereItIsAboutTheAddress(
        SmtpStage stage,
        int code,
        string words,
        MailVerdict verdict,
        bool suppress
    )
    {
        var outcome = MailOutcome.Answered(stage, code, words);

        Assert.Equal((verdict, suppress, $"smtp-{code}"), (outcome.Verdict, outcome.Suppress, outcome.Reason));
    }

    [Fact]
    public void AServersWordsAreOneBoundedLineWithoutAddresses()
    {
        var detail = MailOutcome
            .Answered(SmtpStage.Recipient, 550, "5.1.1 <ann@example.org>\r\n\u001b[31m" + string.Join(' ', Enumerable.Repeat("no", 300)))
            .Detail;

        Assert.DoesNotContain("ann", detail, StringComparison.Ordinal);
        Assert.DoesNotContain(detail, char.IsControl);
        Assert.InRange(detail.Length, 200, 260);
    }
}
