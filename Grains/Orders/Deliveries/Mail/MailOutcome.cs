using System.Globalization;
using System.Text;
using Grains.Orders.Rows;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>What became of a mail after a try.</summary>
public enum MailVerdict
{
    /// <summary>The server answered for it: it is the server's now.</summary>
    Delivered,

    /// <summary>It was not taken, and may be later.</summary>
    Retry,

    /// <summary>It will not be taken however often it is tried.</summary>
    Refused,

    /// <summary>The connection was lost after the final dot and before its answer: the server may have it or not (RFC 1047).</summary>
    Unknown,
}

/// <summary>What is done after <see cref="MailVerdict.Unknown"/>.</summary>
public enum MailAfterUnknown
{
    /// <summary>
    /// It is sent again on the schedule, under the same Message-ID, by which many mail systems drop a repeat: rather twice than never.
    /// </summary>
    SendAgain,

    /// <summary>It becomes a dead letter, for somebody to look at: rather never than twice.</summary>
    GiveUp,
}

/// <summary>What the server was answering.</summary>
public enum SmtpStage
{
    /// <summary>Greeting, EHLO, STARTTLS, AUTH.</summary>
    Connection,

    /// <summary>MAIL FROM.</summary>
    Sender,

    /// <summary>RCPT TO.</summary>
    Recipient,

    /// <summary>DATA, or the final dot.</summary>
    Message,
}

/// <summary>What a try came to.</summary>
/// <param name="Reason">A word or two by which dead letters are grouped: <c>smtp-550</c>, <c>unreachable</c>. Nothing personal.</param>
/// <param name="Detail">A sentence; the server's own words at its end, without addresses and bounded.</param>
/// <param name="Code">The reply's; null where there was none.</param>
/// <param name="Suppress">A hard bounce: it counts against the address (<see cref="Suppression"/>).</param>
public sealed record MailOutcome(MailVerdict Verdict, string Reason, string Detail, int? Code, bool Suppress)
{
    /// <summary>
    /// It says something of the server, or of what we are to it, and nothing of this mail: the next one would meet the same.
    /// </summary>
    public bool IsOfServer { get; init; }

    /// <summary>Characters of a server's words that are kept.</summary>
    public const int MaxWords = 200;

    public static MailOutcome Delivered(string detail, int? code = null) =>
        new(MailVerdict.Delivered, code is { } reply ? Named(reply) : "written", detail, code, Suppress: false);

    /// <summary>The server said no (RFC 5321 §4.2.1: 4yz may succeed later, 5yz will not).</summary>
    /// <remarks>
    /// <para>5yz about a recipient or a message is final, and a hard bounce of the address, except where the enhanced code (RFC 3463) says
    /// otherwise. It is tried again where that code is by its
    /// meaning only persistent and transient: 2.2 (mailbox full), 3.1 (system full), 4.3 (directory), 4.5 (congestion), or is of class 4;
    /// and so is a bare 552, by which a server without enhanced codes
    /// says that storage is full (RFC 5321 §4.2.3). It is final and no bounce where it is not about the address: 2.3 and 2.4 (length, a
    /// list's members), x.3.z (its system), x.4.z (the way there),
    /// x.5.z (the protocol), x.6.z (the content) and x.7.z (policy).</para>
    /// <para>5yz before a recipient was named, and 1.7 and 1.8 at any time, are about us (a password that has run out, a sender that is not
    /// allowed): no customer's mail is lost to it, it is tried again
    /// on the schedule.</para>
    /// </remarks>
    /// <param name="words">The reply's text, an enhanced code at its beginning included.</param>
    public static MailOutcome Answered(SmtpStage stage, int code, string words)
    {
        var (enhanced, rest) = Enhanced(words);
        var said = $"{code}{(enhanced is null ? "" : " " + enhanced)}{(Tidy(rest) is { Length: > 0 } tidy ? ": " + tidy : "")}";
        var isOfServer = stage is SmtpStage.Connection or SmtpStage.Sender || code == 421;
        if (code is < 500 or > 599)
        {
            return new(MailVerdict.Retry, Named(code), $"{Who(stage)} was put off with {said}", code, Suppress: false)
            {
                IsOfServer = isOfServer,
            };
        }

        var (subject, detail) = enhanced?.Split('.') is [_, var first, var second] ? (first, second) : ("", "");
        var isTransient = enhanced is null
            ? code == 552
            : enhanced[0] == '4' || (subject, detail) is ("2", "2") or ("3", "1") or ("4", "3") or ("4", "5");
        if (isTransient && stage is (SmtpStage.Recipient or SmtpStage.Message))
        {
            return new(MailVerdict.Retry, Named(code), $"{Who(stage)} was put off with {said}", code, Suppress: false);
        }

        if (stage is SmtpStage.Connection or SmtpStage.Sender || (subject, detail) is ("1", "7") or ("1", "8"))
        {
            return new(
                MailVerdict.Retry,
                Named(code),
                $"{Who(stage)} was refused with {said} (the mail settings, not the recipient)",
                code,
                Suppress: false
            )
            {
                IsOfServer = isOfServer,
            };
        }

        var isAboutTheAddress = subject is "" or "0" or "1" or "2" && (subject, detail) is not (("2", "3") or ("2", "4"));
        return new(MailVerdict.Refused, Named(code), $"{Who(stage)} was refused with {said}", code, isAboutTheAddress);
    }

    /// <summary>The connection was lost, or none came about.</summary>
    /// <param name="afterDot">The whole message was handed over, and the answer is missing.</param>
    /// <param name="reason">One of <see cref="DeliveryReasons"/> or <see cref="DeferredReasons"/>.</param>
    /// <param name="detail">A sentence.</param>
    public static MailOutcome Lost(bool afterDot, string reason, string detail) =>
        afterDot
            ? new(
                MailVerdict.Unknown,
                DeliveryReasons.Unknown,
                $"The server may have it or not: no answer after the whole message was sent. {detail}",
                Code: null,
                Suppress: false
            )
            {
                IsOfServer = true,
            }
            : new(MailVerdict.Retry, reason, detail, Code: null, Suppress: false) { IsOfServer = true };

    /// <summary>One line, without control characters and without anything that looks like an address.</summary>
    internal static string Tidy(string words)
    {
        var tidy = new StringBuilder();
        foreach (var word in words.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            tidy.Append(tidy.Length == 0 ? "" : " ").Append(word.Contains('@', StringComparison.Ordinal) ? "…" : word);
            if (tidy.Length > MaxWords)
            {
                return string.Concat(tidy.ToString().Where(character => !char.IsControl(character)).Take(MaxWords)) + "…";
            }
        }

        return string.Concat(tidy.ToString().Where(character => !char.IsControl(character)));
    }

    private static string Who(SmtpStage stage) =>
        stage switch
        {
            SmtpStage.Connection => "The session",
            SmtpStage.Sender => "The sender",
            SmtpStage.Recipient => "The recipient",
            _ => "The message",
        };

    private static string Named(int code) => string.Create(CultureInfo.InvariantCulture, $"smtp-{code}");

    /// <summary>RFC 3463 §2: class, subject and detail.</summary>
    private static (string? Code, string Text) Enhanced(string words)
    {
        var end = words.IndexOf(' ', StringComparison.Ordinal);
        var first = (end < 0 ? words : words[..end]).Trim('#', '(', ')', '[', ']', '<', '>', ':', ';', ','); // As some write it.
        var parts = first.Split('.');
        return parts is ["2" or "4" or "5", _, _] && parts.All(part => part.Length is >= 1 and <= 3 && part.All(char.IsAsciiDigit))
            ? (first, end < 0 ? "" : words[(end + 1)..])
            : (null, words);
    }
}
