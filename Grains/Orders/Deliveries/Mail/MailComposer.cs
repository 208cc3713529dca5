using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Grains.Interfaces.Orders;
using Grains.Orders.Lifecycle;
using MimeKit;
using MimeKit.Text;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>
/// Makes a mail of a change. The same change gives the same bytes, with the same Message-ID, however often it is made (with the same
/// templates).
/// </summary>
/// <param name="from">Shown and in the envelope; from <see cref="MailRecipient.TryParse"/>.</param>
/// <param name="shop">Who writes, in texts.</param>
public sealed class MailComposer(MailTemplates templates, MailboxAddress from, string shop)
{
    /// <summary>Characters of a subject; the rest is cut.</summary>
    public const int MaxSubject = 200;

    /// <summary>
    /// In one encoded word: a line of a header has 76 characters at most with one in it (RFC 2047 §2), the field's name included.
    /// </summary>
    private const int MaxWordBytes = 39;

    private const string Channel = "mail";

    /// <param name="to">From <see cref="MailRecipient.TryParse"/>.</param>
    /// <param name="unsubscribe">Where the recipient can say that no more is wanted: https (one click, RFC 8058) or mailto. Null where
    /// there is no such place: then the header is absent.</param>
    public OutgoingMail Compose(OrderChange change, MailboxAddress to, Uri? unsubscribe = null)
    {
        var text = templates.For(change.Type, change.Order.Language);
        var values = new MailValues(change.Order, Culture(text.Language), shop);
        var sender = from.GetAddress(idnEncode: true);
        var id = MessageId(change.OrderId, change.Version, sender[(sender.LastIndexOf('@') + 1)..]);
        var subject = MailRecipient.OneLine(text.Subject.Fill(values), MaxSubject);
        var message = new MimeMessage
        {
            MessageId = id,
            Date = change.At.ToUniversalTime(),
            Subject = subject,
            Body = Body(text, values, id),
        };
        message.Body.Headers.Add(HeaderId.ContentLanguage, text.Language);
        message.From.Add(from);
        message.To.Add(to);
        Show(message, HeaderId.Subject, subject, "");
        Show(message, HeaderId.From, from.Name, $" <{sender}>");
        Show(message, HeaderId.To, to.Name, $" <{to.GetAddress(idnEncode: true)}>");

        // RFC 3834 §5: nobody's automatic answer comes back.
        message.Headers.Add("Auto-Submitted", "auto-generated");
        Unsubscribe(message, unsubscribe);

        var options = FormatOptions.Default.Clone();
        options.NewLineFormat = NewLineFormat.Dos;
        // Its headers are in UTF-8 (RFC 6532).
        options.International = EmailAddress.TryParse(to.Address, out var recipient, out _) && recipient.NeedsSmtpUtf8;
        options.EnsureNewLine = true;
        using var bytes = new MemoryStream();
        message.WriteTo(options, bytes);
        return new(id, sender, to.GetAddress(idnEncode: true), bytes.ToArray());
    }

    /// <summary>
    /// Text that looks like an encoded word is encoded, so that it is read as it was written: a mail program would decode it, and show what
    /// somebody who chose his own name wanted it to say.
    /// </summary>
    private static void Show(MimeMessage message, HeaderId header, string? text, string address)
    {
        if (text is null || !text.Contains("=?", StringComparison.Ordinal))
        {
            return;
        }

        var raw = new StringBuilder();
        var word = new List<byte>();
        foreach (var rune in text.EnumerateRunes())
        {
            var bytes = Encoding.UTF8.GetBytes(rune.ToString());
            if (word.Count + bytes.Length > MaxWordBytes)
            {
                Word();
            }

            word.AddRange(bytes);
        }

        Word();
        message
            .Headers[message.Headers.IndexOf(header)]
            .SetRawValue(Encoding.UTF8.GetBytes($"{raw}{(address.Length > 0 ? "\r\n" + address : "")}\r\n"));

        // Words that stand beside each other are read as one.
        void Word()
        {
            raw.Append(raw.Length > 0 ? "\r\n =?utf-8?b?" : " =?utf-8?b?").Append(Convert.ToBase64String([.. word])).Append("?=");
            word.Clear();
        }
    }

    /// <summary>Of a change on this channel: order id, version, channel, and the sender's domain.</summary>
    public static string MessageId(OrderId order, long version, string domain) =>
        string.Create(CultureInfo.InvariantCulture, $"{order}.{version}.{Channel}@{domain}");

    private static MimeEntity Body(MailText text, MailValues values, string id)
    {
        var plain = Part(TextFormat.Plain, text.Plain.Fill(values));
        if (text.Html is null)
        {
            return plain;
        }

        // RFC 2046 §5.1.4: the last is the one that is shown where it can be.
        return new MultipartAlternative(plain, Part(TextFormat.Html, text.Html.Fill(values)))
        {
            // MimeKit's own is made by chance.
            Boundary = "=_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..32],
        };
    }

    private static TextPart Part(TextFormat format, string text)
    {
        var part = new TextPart(format) { ContentTransferEncoding = ContentEncoding.QuotedPrintable };
        part.SetText(Encoding.UTF8, text.ReplaceLineEndings("\r\n"));
        return part;
    }

    private static void Unsubscribe(MimeMessage message, Uri? unsubscribe)
    {
        if (unsubscribe is null)
        {
            return;
        }

        if (!unsubscribe.IsAbsoluteUri || unsubscribe.Scheme is not ("https" or "mailto"))
        {
            throw new ArgumentException("List-Unsubscribe has an https or mailto URL (RFC 2369, RFC 8058).", nameof(unsubscribe));
        }

        message.Headers.Add(HeaderId.ListUnsubscribe, $"<{unsubscribe.AbsoluteUri}>");
        if (unsubscribe.Scheme == "https")
        {
            message.Headers.Add(HeaderId.ListUnsubscribePost, "List-Unsubscribe=One-Click");
        }
    }

    private static CultureInfo Culture(string language)
    {
        try
        {
            return CultureInfo.GetCultureInfo(language);
        }
        catch (CultureNotFoundException)
        {
            return CultureInfo.InvariantCulture;
        }
    }
}
