using System.Security.Cryptography;
using System.Text;

namespace Grains.Orders.Mail;

/// <summary>An address that nothing goes to any more, since its server refused it for good. Somebody may lift it.</summary>
/// <param name="Reason">As <see cref="MailOutcome.Reason"/>.</param>
/// <param name="Detail">As <see cref="MailOutcome.Detail"/>.</param>
public sealed record Suppression(string Address, DateTimeOffset At, string Reason, string Detail)
{
    public static Suppression Of(string address, MailOutcome outcome, DateTimeOffset now) => outcome.Suppress
        ? new(Plain(address), now, outcome.Reason, outcome.Detail)
        : throw new ArgumentException($"A mail that came to «{outcome.Reason}» suppresses no address.", nameof(outcome));

    /// <summary>A row's key: 64 characters of hex, the same for spellings that no mail system tells apart (case). The address itself is not in it; compare <see cref="Address"/> too.</summary>
    public static string Key(string address) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Plain(address))));

    public bool IsOf(string address) => Address == Plain(address);

    /// <summary>Without the address: it ends up in logs.</summary>
    public override string ToString() => $"suppressed for {Reason}";

    private static string Plain(string address) => address.Trim().ToLowerInvariant();
}
