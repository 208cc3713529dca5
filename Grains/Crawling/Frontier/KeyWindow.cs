namespace Grains.Crawling.Frontier;

/// <summary>
/// The first entries of a stored queue, in order of their keys: so many of them are in memory, the others only in rows.
/// Every stored entry up to <see cref="LoadedTo"/> is here, except those that were taken out.
/// </summary>
/// <remarks>
/// When <see cref="WantsMore"/>: <see cref="BeginLoad"/>, read the rows after <see cref="LoadedTo"/>, <see cref="EndLoad"/>.
/// What is added in the meantime is remembered, so nothing falls between the reading and what came after it.
/// </remarks>
public sealed class KeyWindow(int capacity)
{
    private static readonly Comparer<QueueEntry> ByKey = Comparer<QueueEntry>.Create((a, b) => string.CompareOrdinal(a.Key, b.Key));

    private readonly SortedSet<QueueEntry> _entries = new(ByKey);
    private readonly List<QueueEntry> _addedWhileLoading = [];
    private bool _loading;

    public int Count => _entries.Count;

    public QueueEntry? First => _entries.Min;

    /// <summary>Rows with keys up to this one are known; null: all rows are.</summary>
    public string? LoadedTo { get; private set; } = "";

    /// <summary>There may be rows that memory does not hold, room for them, and nobody reading them yet.</summary>
    public bool WantsMore => LoadedTo is not null && !_loading && _entries.Count <= capacity / 4;

    /// <summary>An entry that has a row: a new one, or one that comes back. Beyond what is loaded it stays in its row.</summary>
    public void Add(QueueEntry entry)
    {
        if (LoadedTo is null || string.CompareOrdinal(entry.Key, LoadedTo) <= 0)
        {
            _entries.Add(entry);
            DropWhatIsTooMuch();
        }
        else if (_loading)
        {
            _addedWhileLoading.Add(entry);
        }
    }

    public void Remove(QueueEntry entry) => _entries.Remove(entry);

    public void BeginLoad() => _loading = true;

    /// <param name="rows">In order of their keys, from after <see cref="LoadedTo"/>.</param>
    /// <param name="isLast">There were no more when they were read.</param>
    public void EndLoad(IReadOnlyList<QueueEntry> rows, bool isLast)
    {
        _loading = false;
        LoadedTo = isLast ? null : rows[^1].Key;
        _entries.UnionWith(rows);
        foreach (var entry in _addedWhileLoading)
        {
            Add(entry);
        }

        _addedWhileLoading.Clear();
        DropWhatIsTooMuch();
    }

    private void DropWhatIsTooMuch()
    {
        while (_entries.Count > capacity)
        {
            _entries.Remove(_entries.Max!);
            LoadedTo = _entries.Max!.Key;
        }
    }
}
