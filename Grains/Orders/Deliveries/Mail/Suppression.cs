using System.Security.Cryptography;
using System.Text;
using Grains.Orders.Lifecycle;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>
/// The hard bounces of an address: its server refused it for good. After <see cref="Needed"/> of them, of different mails, nothing goes to
/// it for a while; somebody may lift that. A mail that
/// is delivered, and time, make one forgotten. The address itself is not in it: an erased customer leaves none behind.
/// </summary>
/// <param name="Masked">As <see cref="Mask"/> has it.</param>
/// <param name="At">Of the last one.</param>
/// <param name="Reason">As <see cref="MailOutcome.Reason"/>.</param>
/// <param name="Detail">As <see cref="MailOutcome.Detail"/>.</param>
/// <param name="Bounces">How many, up to <see cref="Needed"/>; null in rows of earlier versions, for which one was enough.</param>
/// <param name="Mail">The mail that bounced last; told twice, it is one bounce.</param>
public sealed record Suppression(string Masked, DateTimeOffset At, string Reason, string Detail, int? Bounces = null, string? Mail = null)
{
    /// <summary>A server may be wrong once: a directory that is away for a minute makes every address unknown.</summary>
    public const int Needed = 2;

    /// <summary>Nothing goes to the address.</summary>
    public bool Holds(DateTimeOffset now, TimeSpan lasts) => (Bounces ?? Needed) >= Needed && IsKnown(now, lasts);

    /// <summary>What happened longer ago says nothing of the address any more.</summary>
    public bool IsKnown(DateTimeOffset now, TimeSpan lasts) => now < At + lasts;

    public static Suppression Of(string address, MailOutcome outcome, DateTimeOffset now) =>
        outcome.Suppress
            ? new(Mask(address), now, outcome.Reason, outcome.Detail.Replace(address, Mask(address), StringComparison.OrdinalIgnoreCase))
            : throw new ArgumentException($"A mail that came to \"{outcome.Reason}\" suppresses no address.", nameof(outcome));

    /// <summary>
    /// A row's key: 64 characters of hex, the same for spellings that no mail system tells apart (case, a domain in its own letters or as
    /// DNS has it). The address itself is not in it.
    /// </summary>
    public static string Key(string address) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Plain(address))));

    /// <summary>For people who look at a list: <c>a…@example.org</c>.</summary>
    public static string Mask(string address)
    {
        var plain = Plain(address);
        var at = plain.LastIndexOf('@');
        return at < 1 ? "…" : $"{plain[0]}…{plain[at..]}";
    }

    /// <summary>Without the address: it ends up in logs.</summary>
    public override string ToString() => $"suppressed for {Reason}";

    private static string Plain(string address)
    {
        var plain = address.Trim().ToLowerInvariant();
        return EmailAddress.TryParse(plain, out var parsed, out _) ? parsed.ToString() : plain;
    }
}
