using System.Text;
using Grains.Interfaces.Orders;
using MimeKit;
using MimeKit.Text;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>
/// Tells the operator by mail what happens to endpoints (<c>Mail:Operator</c>), through the gate that all mails of this silo take.
/// </summary>
/// <param name="to">Null: nobody is told by mail.</param>
public sealed class OperatorMail(MailGate gate, MailboxAddress from, MailboxAddress? to)
{
    /// <summary>There is somebody to be told.</summary>
    public bool IsOn => to is not null;

    /// <summary>Tries once, or says after what time to come again. The same event is the same mail, under the same Message-ID.</summary>
    /// <exception cref="InvalidOperationException">There is nobody to be told.</exception>
    public Task<(MailOutcome Outcome, TimeSpan? After)> Send(EndpointEvent happened, CancellationToken cancel) =>
        to is { } recipient
            ? gate.Send(() => Compose(happened, from, recipient), cancel)
            : throw new InvalidOperationException("Mail:Operator names nobody who could be told.");

    /// <summary>As <see cref="Send"/>, with the answer of an endpoint that is told.</summary>
    /// <inheritdoc cref="Send" path="/exception"/>
    public async Task<WebhookReply> Notify(EndpointEvent happened, CancellationToken cancel)
    {
        var (outcome, after) = await Send(happened, cancel);
        return new(
            outcome.Verdict == MailVerdict.Delivered ? WebhookSent.Delivered
                : after is not null ? WebhookSent.NotNow
                : WebhookSent.Failed,
            outcome.Reason,
            outcome.Detail,
            after
        );
    }

    internal static OutgoingMail Compose(EndpointEvent happened, MailboxAddress from, MailboxAddress to)
    {
        var sender = from.GetAddress(idnEncode: true);
        var id = $"{happened.Id}@{sender[(sender.LastIndexOf('@') + 1)..]}";
        var message = new MimeMessage
        {
            MessageId = id,
            Date = happened.At.ToUniversalTime(),
            Subject = MailRecipient.OneLine($"Webhook {happened.Endpoint}: {Word(happened.Type)}", MailComposer.MaxSubject),
            Body = Text(happened),
        };
        message.From.Add(from);
        message.To.Add(to);
        message.Headers.Add("Auto-Submitted", "auto-generated"); // RFC 3834 §5

        var options = FormatOptions.Default.Clone();
        options.NewLineFormat = NewLineFormat.Dos;
        options.EnsureNewLine = true;
        using var bytes = new MemoryStream();
        message.WriteTo(options, bytes);
        return new(id, sender, to.GetAddress(idnEncode: true), bytes.ToArray());
    }

    /// <summary>What comes after the dot: <c>webhook.failing</c> is "failing".</summary>
    private static string Word(string type) => type[(type.LastIndexOf('.') + 1)..];

    private static TextPart Text(EndpointEvent happened)
    {
        var part = new TextPart(TextFormat.Plain) { ContentTransferEncoding = ContentEncoding.QuotedPrintable };
        part.SetText(
            Encoding.UTF8,
            $"{happened.Text}\r\n\r\nEndpoint {happened.Endpoint}\r\n{happened.Url}\r\n\r\n"
                + $"\"orders webhooks show {happened.Endpoint}\" shows its state and its history.\r\n"
        );
        return part;
    }
}
