using Grains.Interfaces.Orders;

namespace Grains.Orders.Consumers;

/// <summary>A subscriber of this program: how it is treated, and how it is made for a partition.</summary>
public sealed record SubscriberEntry(SubscriberRules Rules, Func<int, IOrderSubscriber> Make)
{
    /// <summary>Whether it is there (still): asked before it takes anything. Null: it always is, as long as the program has it.</summary>
    public Func<CancellationToken, Task<bool>>? IsThere { get; init; }
}

/// <summary>
/// Subscribers that come and go while the program runs, one for each thing of a kind: <c>webhook-…</c>. Which there are, the feeds know,
/// with which they are listed.
/// </summary>
/// <param name="Kind">What their names begin with, before a dash.</param>
/// <param name="Channel">As <see cref="SubscriberRules.Channel"/> of each.</param>
/// <param name="Find">The entry of the one with this name.</param>
public sealed record SubscriberFamily(string Kind, string Channel, Func<string, SubscriberEntry> Find)
{
    public string NameOf(string id) => $"{Kind}-{id}";

    /// <summary>What the name says after the kind; null for a name that is none of these.</summary>
    public string? IdIn(string name) =>
        name.Length > Kind.Length + 1 && name[Kind.Length] == '-' && name.StartsWith(Kind, StringComparison.Ordinal)
            ? name[(Kind.Length + 1)..]
            : null;
}

/// <summary>The subscribers of this program.</summary>
public sealed class SubscriberCatalog
{
    private readonly Dictionary<string, SubscriberEntry> _entries = new(StringComparer.Ordinal);
    private readonly List<SubscriberFamily> _families;

    public SubscriberCatalog(IEnumerable<SubscriberEntry> entries, IEnumerable<SubscriberFamily> families)
    {
        _families = [.. families];
        foreach (var entry in entries)
        {
            var name = entry.Rules.Name;
            if (!SubscriberKey.IsName(name))
            {
                throw new ArgumentException(
                    $"A subscriber's name has 1 to {SubscriberKey.MaxName} lower-case letters, digits and dashes, and starts "
                        + $"with a letter; this is \"{name}\".",
                    nameof(entries)
                );
            }

            if (!_entries.TryAdd(name, entry))
            {
                throw new ArgumentException($"Two subscribers are named \"{name}\"; each has a name of its own.", nameof(entries));
            }

            if (_families.Find(family => family.IdIn(name) is not null) is { } taken)
            {
                throw new ArgumentException(
                    $"\"{name}\" begins with \"{taken.Kind}-\", as do the names of those that come and go; take another.",
                    nameof(entries)
                );
            }

            if (entry.Rules.TakesNotes)
            {
                NoteTaker = NoteTaker is null
                    ? name
                    : throw new ArgumentException($"\"{NoteTaker}\" and \"{name}\" both take notes; one does.", nameof(entries));
            }
        }
    }

    /// <summary>Those that are always there.</summary>
    public IReadOnlyCollection<string> Names => _entries.Keys;

    /// <summary>The channels of this program, each once.</summary>
    public IEnumerable<string> Channels =>
        _entries
            .Values.Select(entry => entry.Rules.Channel)
            .OfType<string>()
            .Concat(_families.Select(family => family.Channel))
            .Distinct(StringComparer.Ordinal);

    /// <summary>Who is told what happens beside changes; null: nobody.</summary>
    public string? NoteTaker { get; }

    /// <summary>Null for a name that is none of this program's. One that comes and goes is found whether it is there or not.</summary>
    public SubscriberEntry? Find(string name) =>
        _entries.TryGetValue(name, out var entry) ? entry : _families.Find(family => family.IdIn(name) is not null)?.Find(name);

    /// <summary>It comes and goes: it can be removed while the program runs.</summary>
    public bool IsOfFamily(string name) => _families.Exists(family => family.IdIn(name) is not null);
}
