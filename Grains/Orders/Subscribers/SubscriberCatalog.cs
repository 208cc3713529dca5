using Grains.Interfaces.Orders;

namespace Grains.Orders.Subscribers;

/// <summary>A subscriber of this program: how it is treated, and how it is made for a partition.</summary>
public sealed record SubscriberEntry(SubscriberRules Rules, Func<int, IOrderSubscriber> Make);

/// <summary>The subscribers of this program.</summary>
public sealed class SubscriberCatalog
{
    private readonly Dictionary<string, SubscriberEntry> _entries = new(StringComparer.Ordinal);

    public SubscriberCatalog(IEnumerable<SubscriberEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (!SubscriberKey.IsName(entry.Rules.Name))
            {
                throw new ArgumentException($"A subscriber's name has 1 to {SubscriberKey.MaxName} lower-case letters, digits and dashes, and starts with a letter; this is «{entry.Rules.Name}».", nameof(entries));
            }

            if (!_entries.TryAdd(entry.Rules.Name, entry))
            {
                throw new ArgumentException($"Two subscribers are named «{entry.Rules.Name}»; each has a name of its own.", nameof(entries));
            }

            if (entry.Rules.TakesNotes)
            {
                NoteTaker = NoteTaker is null ? entry.Rules.Name : throw new ArgumentException($"«{NoteTaker}» and «{entry.Rules.Name}» both take notes; one does.", nameof(entries));
            }
        }
    }

    public IReadOnlyCollection<string> Names => _entries.Keys;

    /// <summary>Who is told what happens beside changes; null: nobody.</summary>
    public string? NoteTaker { get; }

    public SubscriberEntry? Find(string name) => _entries.GetValueOrDefault(name);
}
