using System.Collections.Immutable;
using Grains.Books;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Batching;

/// <summary>
/// What was received and what became of it, by service. At most <see cref="MaxServices"/> services have a line of their own; the others
/// share <see cref="Others"/>.
/// </summary>
public sealed class Tally
{
    public const int MaxServices = 1000;

    public const string Others = "(others)";

    private readonly SortedDictionary<string, ServiceCount> _counts = new(StringComparer.Ordinal);

    public static ServiceCount None { get; } = new("", 0, 0, 0, 0, 0, ImmutableSortedDictionary<string, long>.Empty);

    public bool IsEmpty => _counts.Count == 0;

    public ImmutableArray<ServiceCount> Counts => [.. _counts.Values];

    public void Add(IEnumerable<ServiceCount> counts)
    {
        foreach (var count in counts)
        {
            Add(count);
        }
    }

    public void Add(ServiceCount count)
    {
        var service = _counts.ContainsKey(count.Service) || _counts.Count < MaxServices ? count.Service : Others;
        _counts[service] = Sum(_counts.GetValueOrDefault(service, None), count) with { Service = service };
    }

    public static ServiceCount Sum(ServiceCount left, ServiceCount right) =>
        new(
            left.Service,
            left.Received + right.Received,
            left.Stored + right.Stored,
            left.Filtered + right.Filtered,
            left.Sampled + right.Sampled,
            left.Repeated + right.Repeated,
            left.Refused.Plus(right.Refused)
        );

    /// <summary>The same records once more: all that was stored, filtered or sampled then is a repeat now.</summary>
    public static ServiceCount AsRepeat(ServiceCount first) =>
        first with
        {
            Stored = 0,
            Filtered = 0,
            Sampled = 0,
            Repeated = first.Stored + first.Filtered + first.Sampled + first.Repeated,
        };
}
