namespace Grains.Orders.Deliveries.Mail;

/// <summary>
/// A mail as it goes out, whole: headers and body, CRLF; ASCII, unless the recipient needs SMTPUTF8. The same bytes and the same Message-ID
/// on every try.
/// </summary>
/// <param name="MessageId">Without angle brackets.</param>
/// <param name="From">The envelope's sender: an ASCII address.</param>
/// <param name="To">The envelope's recipient: an address with its domain as DNS has it.</param>
public sealed record OutgoingMail(string MessageId, string From, string To, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Without addresses: it ends up in logs.</summary>
    public override string ToString() => $"<{MessageId}>, {Bytes.Length} bytes";
}

/// <summary>Tries once to hand a mail over. What it comes to is a value; only a cancelled call throws.</summary>
public interface IMailSender
{
    /// <exception cref="OperationCanceledException">Cancelled. Whether the mail was taken is not known.</exception>
    Task<MailOutcome> Send(OutgoingMail mail, CancellationToken cancel);
}
