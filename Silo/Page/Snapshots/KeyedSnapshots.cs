namespace Silo.Page.Snapshots;

/// <summary>
/// Snapshots of one kind, one for each thing that somebody looks at. Those that nobody looks at go, as soon as there are many.
/// </summary>
public sealed class KeyedSnapshots<TKey, T>(Func<TKey, SharedSnapshot<T>> create)
    where TKey : notnull
{
    /// <summary>More than there are viewers.</summary>
    private const int Many = 300;

    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, SharedSnapshot<T>> _snapshots = [];

    public SharedSnapshot<T> Of(TKey key)
    {
        lock (_gate)
        {
            if (_snapshots.TryGetValue(key, out var snapshot))
            {
                return snapshot;
            }

            if (_snapshots.Count >= Many)
            {
                foreach (var idle in _snapshots.Where(pair => !pair.Value.IsWatched).Select(pair => pair.Key).ToArray())
                {
                    _snapshots.Remove(idle);
                }
            }

            return _snapshots[key] = create(key);
        }
    }
}
