using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Grains.Orders.Lifecycle;
using MimeKit;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>The settings of mail as they are used: read, and right together.</summary>
/// <param name="From">With the shop's name beside it.</param>
/// <param name="Waits">Between tries.</param>
/// <param name="Server">Null: mails are written to a folder.</param>
/// <param name="Unsubscribe">An https address that links begin with, or a mailto address; null for none.</param>
public sealed record MailSettings(
    MailboxAddress From,
    string Shop,
    MailTemplates Templates,
    ImmutableArray<TimeSpan> Waits,
    SmtpSettings? Server,
    Uri? Unsubscribe
)
{
    /// <summary>Who is told by mail what happens to endpoints; null: nobody.</summary>
    public MailboxAddress? Operator { get; init; }

    /// <summary>In mails that go to a folder, where nothing is said of it.</summary>
    public const string FromNobody = "orders@localhost";

    /// <param name="problems">What is wrong, one sentence each.</param>
    public static bool TryRead(MailOptions options, [NotNullWhen(true)] out MailSettings? settings, out ImmutableArray<string> problems)
    {
        var wrong = new List<string>();
        var hasServer = options.Host.Length > 0;
        var address = options.From.Length > 0 ? options.From : FromNobody;
        if (hasServer && options.From.Length == 0)
        {
            wrong.Add("Mail:Host is set, and Mail:From is not; give the address that mails come from, such as shop@example.org.");
        }

        if (!MailRecipient.TryParse(options.Shop, address, out var from, out var error))
        {
            wrong.Add($"Mail:From: {error}");
        }
        else if (EmailAddress.TryParse(address, out var sender, out _) && sender.NeedsSmtpUtf8)
        {
            wrong.Add("Mail:From: before its \"@\" the sender's address is in ASCII: not every server takes another.");
        }

        MailboxAddress? operatorAddress = null;
        if (options.Operator.Length > 0 && !MailRecipient.TryParse(null, options.Operator, out operatorAddress, out error))
        {
            wrong.Add($"Mail:Operator: {error}");
        }
        else if (EmailAddress.TryParse(options.Operator, out var asked, out _) && asked.NeedsSmtpUtf8)
        {
            wrong.Add("Mail:Operator: before its \"@\" the operator's address is in ASCII: not every server takes another.");
        }

        if ((options.User.Length > 0) != (options.Password.Length > 0))
        {
            wrong.Add("Of Mail:User and Mail:Password one is set; give both, or neither.");
        }

        if (!RetryWaits.TryParse(options.Retries, out var waits, out error))
        {
            wrong.Add($"Mail:Retries: {error}");
        }

        var (templates, errors) =
            options.Templates.Length > 0
                ? MailTemplates.Read(options.Templates, options.Language)
                : MailTemplates.Build([], options.Language);
        wrong.AddRange(errors.Select(sentence => $"Mail:Templates: {sentence}"));
        if (!TryReadUnsubscribe(options.Unsubscribe, out var unsubscribe))
        {
            wrong.Add(
                $"Mail:Unsubscribe is \"{options.Unsubscribe}\"; it is an https address such as https://shop.example.org/, "
                    + $"without a query, or a mailto: address such as mailto:no-more@example.org."
            );
        }

        problems = [.. wrong];
        if (from is null || templates is null || wrong.Count > 0)
        {
            settings = null;
            return false;
        }

        var server = hasServer
            ? new SmtpSettings(options.Host, options.Port, options.Security)
            {
                User = options.User.Length > 0 ? options.User : null,
                Password = options.Password.Length > 0 ? options.Password : null,
                MaxConnections = options.MaxConnections,
                Timeout = options.Timeout,
            }
            : null;
        settings = new(from, options.Shop, templates, waits, server, unsubscribe) { Operator = operatorAddress };
        return true;
    }

    private static bool TryReadUnsubscribe(string text, out Uri? unsubscribe)
    {
        unsubscribe = null;
        if (text.Length == 0)
        {
            return true;
        }

        return Uri.TryCreate(text, UriKind.Absolute, out unsubscribe)
            && unsubscribe.Scheme switch
            {
                "https" => unsubscribe is { Query: "", Fragment: "", UserInfo: "" },
                "mailto" => MailRecipient.TryParse(null, unsubscribe.UserInfo + "@" + unsubscribe.Host, out _, out _),
                _ => false,
            };
    }
}
