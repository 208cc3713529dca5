using System.Collections.Immutable;
using Grains.Storage;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>
/// The table of mail: <c>preferences.X</c>, by the hash of the customer's name, whose first character is X; <c>suppressions</c>, by
/// <see cref="Suppression.Key"/>; <c>unsubscribe</c>, the key
/// that links are signed with.
/// </summary>
public static class MailTable
{
    public const string Name = "ordermail";

    public const string Suppressions = "suppressions";

    public const string Unsubscribe = "unsubscribe";

    public const string UnsubscribeKey = "key";

    /// <summary>Sixty-four of them, so that no partition has all customers.</summary>
    /// <param name="key">From <see cref="StoreLimits.HashKey"/>.</param>
    public static string Preferences(string key) => $"preferences.{key[0]}";
}

/// <param name="Customer">Null where a link that was mailed to the customer said it: it has the hash only.</param>
/// <param name="Types">As <see cref="CustomerPreferences.Types"/>.</param>
public sealed record PreferencesRow(string? Customer, ImmutableSortedDictionary<string, ImmutableArray<string>> Types, DateTimeOffset At);

/// <param name="Key">256 random bits.</param>
public sealed record UnsubscribeKeyRow(byte[] Key, DateTimeOffset At);
