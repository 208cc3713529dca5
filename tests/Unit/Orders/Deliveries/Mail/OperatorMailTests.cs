using Doubles.Orders;
using Grains.Interfaces.Orders;
using Grains.Orders.Deliveries.Mail;
using Microsoft.Extensions.Time.Testing;
using MimeKit;
using Xunit;

namespace Unit.Orders.Deliveries.Mail;

public sealed class OperatorMailTests
{
    private static readonly EndpointEvent Disabled = new(
        "msg_endpoint_0123456789_8de_disabled",
        "webhook.disabled",
        Given.Start,
        "0123456789",
        "https://example.org/hooks?…",
        "Disabled. Answered 410: the endpoint says that it is gone for good."
    );

    [Fact]
    public void AMailSaysWhatHappenedToWhichEndpointAndIsTheSameOnEveryTry()
    {
        var (from, to) = (new MailboxAddress("Shop", "shop@example.org"), new MailboxAddress(null, "ops@example.org"));
        var mail = OperatorMail.Compose(Disabled, from, to);
        using var bytes = new MemoryStream(mail.Bytes.ToArray());
        var read = MimeMessage.Load(bytes, TestContext.Current.CancellationToken);

        Assert.Equal(("msg_endpoint_0123456789_8de_disabled@example.org", "ops@example.org"), (mail.MessageId, mail.To));
        Assert.Equal(("Webhook 0123456789: disabled", "auto-generated"), (read.Subject, read.Headers["Auto-Submitted"]));
        Assert.StartsWith("Disabled. Answered 410", read.TextBody, StringComparison.Ordinal);
        Assert.Equal(mail.Bytes.ToArray(), OperatorMail.Compose(Disabled, from, to).Bytes.ToArray());
    }

    [Fact]
    public void WithoutAnAddressNobodyIsTold() =>
        Assert.False(
            new OperatorMail(
                new(new RecordingMailSender(), perSecond: null, new FakeTimeProvider(Given.Start)),
                new("Shop", "shop@example.org"),
                to: null
            ).IsOn
        );

    [Theory]
    [InlineData("", true)]
    [InlineData("ops@example.org", true)]
    [InlineData("nobody", false)]
    [InlineData("öps@example.org", false)]
    public void TheSettingIsAnAddressInAsciiOrNothing(string address, bool isRight)
    {
        Assert.Equal(isRight, MailSettings.TryRead(new() { Operator = address }, out var settings, out var problems));
        Assert.Equal(isRight && address.Length > 0, settings?.Operator is not null);
        Assert.All(problems, problem => Assert.StartsWith("Mail:Operator", problem, StringComparison.Ordinal));
    }
}
