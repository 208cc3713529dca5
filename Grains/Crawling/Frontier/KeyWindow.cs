namespace Grains.Crawling.Frontier;

/// <summary>
/// The first entries of a stored queue, in order of their keys: so many of them are in memory, the others only in rows.
/// Every stored entry up to <see cref="LoadedTo"/> is here, except those that are out: taken and not yet back, or on their way in.
/// </summary>
/// <remarks>
/// When <see cref="WantsMore"/>: <see cref="BeginLoad"/>, read the rows after <see cref="LoadedTo"/>, <see cref="EndLoad"/>.
/// A row may be read while its entry is out, or may be gone by the time the reading ends; such a row is passed over. So an entry is here
/// once or not at all.
/// </remarks>
public sealed class KeyWindow(int capacity)
{
    private static readonly Comparer<QueueEntry> ByKey = Comparer<QueueEntry>.Create((a, b) => string.CompareOrdinal(a.Key, b.Key));

    private readonly SortedSet<QueueEntry> _entries = new(ByKey);
    private readonly HashSet<string> _out = new(StringComparer.Ordinal);
    private readonly List<QueueEntry> _addedWhileLoading = [];
    private readonly List<string> _forgottenWhileLoading = [];
    private string? _loadingFrom = "";
    private bool _loading;

    public int Count => _entries.Count;

    public QueueEntry? First => _entries.Min;

    /// <summary>The first whose URL does not begin with <paramref name="prefix"/>.</summary>
    public QueueEntry? FirstNot(string prefix) => _entries.FirstOrDefault(entry => !entry.Url.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>Rows with keys up to this one are known; null: all rows are.</summary>
    public string? LoadedTo { get; private set; } = "";

    /// <summary>There may be rows that memory does not hold, room for them, and nobody reading them yet.</summary>
    public bool WantsMore => LoadedTo is not null && !_loading && _entries.Count <= capacity / 4;

    /// <summary>The entry's row is on its way into the store: <see cref="Add"/> follows once it is there.</summary>
    public void Expect(QueueEntry entry) => _out.Add(entry.Key);

    /// <summary>An entry that has a row: a new one, or one that comes back. Beyond what is loaded it stays in its row.</summary>
    public void Add(QueueEntry entry)
    {
        _out.Remove(entry.Key);
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

    /// <summary>The entry is out: <see cref="Add"/> when it comes back, or <see cref="Forget"/> when its row is gone.</summary>
    public void Take(QueueEntry entry)
    {
        _entries.Remove(entry);
        _out.Add(entry.Key);
    }

    /// <summary>The row of an entry that is out is gone.</summary>
    public void Forget(QueueEntry entry)
    {
        if (_loading)
        {
            _forgottenWhileLoading.Add(entry.Key); // The row may have been read before it went.
        }
        else
        {
            _out.Remove(entry.Key);
        }
    }

    public void BeginLoad()
    {
        _loading = true;
        _loadingFrom = LoadedTo;
    }

    /// <param name="rows">In order of their keys, from after what <see cref="LoadedTo"/> was when the load began.</param>
    /// <param name="isLast">There were no more when they were read.</param>
    public void EndLoad(IReadOnlyList<QueueEntry> rows, bool isLast)
    {
        // When entries were dropped meanwhile, what was read does not join on to what is here; it is read again.
        if (LoadedTo == _loadingFrom)
        {
            LoadedTo = isLast ? null : rows[^1].Key;
            _entries.UnionWith(rows.Where(row => !_out.Contains(row.Key)));
        }

        StopLoading(_addedWhileLoading);
    }

    /// <summary>The rows could not be read. What was added meanwhile stays in its rows.</summary>
    public void FailLoad() => StopLoading([]);

    private void StopLoading(IEnumerable<QueueEntry> added)
    {
        _loading = false;
        foreach (var entry in added)
        {
            Add(entry);
        }

        _addedWhileLoading.Clear();
        _out.ExceptWith(_forgottenWhileLoading);
        _forgottenWhileLoading.Clear();
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
