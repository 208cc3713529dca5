using System.Collections.Immutable;

namespace Grains.Orders.Deliveries;

/// <summary>What a customer wants to be told, and on which channel. Whoever said nothing wants everything.</summary>
/// <param name="Types">By channel: the types that are wanted on it. A channel that is not named: all of them; one with no types:
/// none.</param>
public sealed record CustomerPreferences(ImmutableSortedDictionary<string, ImmutableArray<string>> Types)
{
    /// <summary>Channels that reach a customer. (Webhooks and the audit are not theirs to choose.)</summary>
    public static readonly ImmutableArray<string> Channels = ["mail"];

    public static CustomerPreferences Everything { get; } =
        new(ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty.WithComparers(StringComparer.Ordinal));

    public bool Wants(string channel, string type) => !Types.TryGetValue(channel, out var wanted) || wanted.Contains(type);

    public CustomerPreferences With(string channel, params ImmutableArray<string> types) => new(Types.SetItem(channel, types));

    /// <returns>A sentence that names what is wrong and what would be right; null when nothing is.</returns>
    public string? Fault()
    {
        foreach (var (channel, types) in Types)
        {
            if (!Channels.Contains(channel))
            {
                return $"\"{Short(channel)}\" is no channel; channels are {string.Join(", ", Channels)}.";
            }

            if (types.IsDefault)
            {
                return $"\"{channel}\" has a list of types; an empty one for none.";
            }

            if (types.FirstOrDefault(type => !ChangeTypes.All.Contains(type)) is { } unknown)
            {
                return $"\"{Short(unknown)}\" is no type of change; types are {string.Join(", ", ChangeTypes.All)}.";
            }
        }

        return null;
    }

    private static string Short(string text) => text.Length > 40 ? text[..40] + "…" : text;
}
