using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Grains.Interfaces.Orders;

/// <summary>What a customer wants to be told, as programs read and write it.</summary>
/// <param name="Mail">Types of changes, such as <c>order.paid</c> (written, <c>paid</c> will do): none for no mail; null for every
/// type.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record PreferencesForm(string Customer, ImmutableArray<string>? Mail)
{
    /// <summary>Bytes of one as JSON; with all that may stand in it, it has far fewer.</summary>
    public const int MaxBytes = 8 * 1024;

    private static readonly ImmutableArray<string> Known = [.. Enum.GetValues<OrderStatus>().Select(OrderForm.ChangeType)];

    public static PreferencesForm Of(MailPreferences preferences) => new(preferences.Customer, preferences.Types);

    /// <summary>The types by their whole names, each once, in the order of an order's life.</summary>
    /// <returns>What is wrong, in a sentence; null when nothing is.</returns>
    public string? TryRead(out MailPreferences preferences)
    {
        preferences = new(Customer, null);
        if (Mail is not { IsDefault: false } asked)
        {
            return null;
        }

        var types = new HashSet<string>(StringComparer.Ordinal);
        foreach (var word in asked)
        {
            var type = Known.Contains(word) ? word : "order." + word;
            if (!Known.Contains(type))
            {
                return $"\"{(word.Length > 40 ? word[..40] + "…" : word)}\" is no type of change; there are {string.Join(", ", Known)}.";
            }

            types.Add(type);
        }

        preferences = new(Customer, Known.Where(types.Contains).ToImmutableArray());
        return null;
    }
}

/// <inheritdoc cref="MailSuppression"/>
public sealed record SuppressionForm(string Id, string Address, DateTimeOffset At, string Reason, string Detail)
{
    public static SuppressionForm Of(MailSuppression suppression) =>
        new(suppression.Id, suppression.Masked, suppression.At, suppression.Reason, suppression.Detail);
}

/// <param name="After">For the next page; null when there are no more.</param>
public sealed record SuppressionListForm(ImmutableArray<SuppressionForm> Suppressions, string? After);
