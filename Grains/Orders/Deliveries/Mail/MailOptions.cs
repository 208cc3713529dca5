using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>
/// What is set from outside for mail to customers, for the whole silo. What the settings mean together, <see cref="MailSettings.TryRead"/>
/// says.
/// </summary>
public sealed class MailOptions
{
    public const string Section = "Mail";

    [Description("The mail server that takes all mails. Without one they are written to Mail:Pickup.")]
    public string Host { get; set; } = "";

    [Description("The mail server's port: 587 for STARTTLS, 465 for TLS, 25 for neither.")]
    [Range(1, 65535)]
    public int Port { get; set; } = 587;

    [Description(
        "How the way to the mail server is secured. StartTls: a server that does not offer it gets no mail. None is for a "
            + "server on this machine or a trusted network: user and password would go in the clear too."
    )]
    public SmtpSecurity Security { get; set; } = SmtpSecurity.StartTls;

    [Description("Who logs in at the mail server; empty: nobody does.")]
    public string User { get; set; } = "";

    [Description("The password of Mail:User. It is a secret: prefer the environment variable.")]
    public string Password { get; set; } = "";

    [Description("The address that mails come from, shown and in the envelope. Needed with Mail:Host.")]
    public string From { get; set; } = "";

    [Description("Who writes: the name beside the address, and in the texts.")]
    [Required(ErrorMessage = "Mail:Shop is a name.")]
    [StringLength(MailRecipient.MaxName, ErrorMessage = "Mail:Shop has 70 characters at most.")]
    public string Shop { get; set; } = "Orders";

    [Description(
        "A folder whose files replace the built-in texts one by one: order.paid.en.txt, order.paid.en.html. Read at the start; "
            + "what is wrong in it stops the silo."
    )]
    public string Templates { get; set; } = "";

    [Description("The language for customers who asked for none that there are texts in.")]
    [RegularExpression("^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", ErrorMessage = "Mail:Language is a language tag such as en or de-AT.")]
    public string Language { get; set; } = "en";

    [Description(
        "What is done where the connection was lost after a whole mail was handed over and before the answer. SendAgain: rather "
            + "twice than never, under the same Message-ID. GiveUp: rather never than twice; it becomes a dead letter."
    )]
    public MailAfterUnknown AfterUnknown { get; set; } = MailAfterUnknown.SendAgain;

    [Description(
        "The folder that mails are written to, as .eml, where there is no Mail:Host. Empty: \"mail\" below Storage:Path. Silos "
            + "on several machines share one, so that an erasure reaches all of it."
    )]
    public string Pickup { get; set; } = "";

    [Description("Connections to the mail server at once, of this silo; further mails wait for one.")]
    [Range(1, 100)]
    public int MaxConnections { get; set; } = 4;

    [Description(
        "For one mail, from the connection to the last answer. Shorter: more mails of which nobody knows whether they were taken."
    )]
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(2);

    [Description(
        "Mails a second that this silo hands to the mail server. After a start, and when the server is back, it begins with a "
            + "sixteenth and doubles every five seconds."
    )]
    [Range(0.1, 10_000)]
    public double PerSecond { get; set; } = 100;

    [Description(
        "The waits between tries of a mail that was put off; after the last one it is a dead letter. Whole numbers with ms, s, m, h or d."
    )]
    public string Retries { get; set; } = "1m 10m 30m 1h 2h 4h 8h 16h 1d 1d 1d";

    [Description(
        "How long an address gets no mail after its server refused it for good twice (a mailbox that does not exist); then the "
            + "next mail is tried again."
    )]
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan SuppressFor { get; set; } = MailStore.UsualSuppression;

    [Description(
        "How a recipient says that no more is wanted: the https address under which customers reach this silo's HTTP door "
            + "(mails then carry a link of their own, with one click), or a mailto: address that people read. Empty: mails carry none."
    )]
    public string Unsubscribe { get; set; } = "";

    [Description(
        "The address of whoever looks after webhooks: told by mail when an endpoint fails, is disabled, recovers or gets a new "
            + "secret. Empty: nobody is."
    )]
    public string Operator { get; set; } = "";
}
