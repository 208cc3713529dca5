using System.Security.Cryptography;
using System.Text;

namespace Grains.Orders.Mail;

/// <summary>An address that nothing goes to any more, since its server refused it for good. Somebody may lift it. The address itself is not in it: an erased customer leaves none behind.</summary>
/// <param name="Masked">As <see cref="Mask"/> has it.</param>
/// <param name="Reason">As <see cref="MailOutcome.Reason"/>.</param>
/// <param name="Detail">As <see cref="MailOutcome.Detail"/>.</param>
public sealed record Suppression(string Masked, DateTimeOffset At, string Reason, string Detail)
{
    public static Suppression Of(string address, MailOutcome outcome, DateTimeOffset now) => outcome.Suppress
        ? new(Mask(address), now, outcome.Reason, outcome.Detail.Replace(address, Mask(address), StringComparison.OrdinalIgnoreCase))
        : throw new ArgumentException($"A mail that came to «{outcome.Reason}» suppresses no address.", nameof(outcome));

    /// <summary>A row's key: 64 characters of hex, the same for spellings that no mail system tells apart (case). The address itself is not in it.</summary>
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

    private static string Plain(string address) => address.Trim().ToLowerInvariant();
}
