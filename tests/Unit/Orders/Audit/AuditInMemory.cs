using Grains.Orders.Audit;

namespace Unit.Orders.Audit;

/// <summary>An audit as its rows would be: written as the subscriber would write it, and then open to anybody who tampers.</summary>
internal sealed class AuditInMemory : IAuditSource
{
    public static readonly DateTimeOffset Start = new(2026, 11, 23, 9, 0, 0, TimeSpan.Zero);

    private readonly SortedDictionary<int, Log> _logs = [];

    /// <summary>Called once, when the entries are about to be read.</summary>
    public Action? WhenEntriesAreRead { get; set; }

    public Log this[int partition] => _logs[partition];

    /// <summary>Appends changes of orders, each of which has three versions, in commits of <paramref name="commit"/>.</summary>
    public void Append(int partition, int count, int commit = 20)
    {
        if (!_logs.TryGetValue(partition, out var log))
        {
            _logs.Add(partition, log = new Log(partition));
        }

        for (var left = count; left > 0; left -= commit)
        {
            log.Append(Math.Min(left, commit));
        }
    }

    public AuditHead Head(TimeSpan after) =>
        new(Start + after, _logs.Values.Select(log => new PartitionRoot(log.Partition, log.Writer.Size, log.Writer.Root)));

    public ValueTask<IReadOnlyCollection<int>> Partitions(CancellationToken cancel = default) =>
        ValueTask.FromResult<IReadOnlyCollection<int>>(_logs.Keys);

    public ValueTask<ReadOnlyMemory<byte>?> Frontier(int partition, CancellationToken cancel = default) =>
        ValueTask.FromResult(
            _logs.TryGetValue(partition, out var log) && log.Frontier is { } frontier ? (ReadOnlyMemory<byte>?)frontier : null
        );

    public ITileSource Tiles(int partition) => _logs.TryGetValue(partition, out var log) ? log.Tiles : new TilesInMemory();

    public async IAsyncEnumerable<StoredEntry> Entries(
        int partition,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel = default
    )
    {
        await Task.CompletedTask;
        var act = WhenEntriesAreRead;
        WhenEntriesAreRead = null;
        act?.Invoke();
        foreach (var (index, entry) in _logs.TryGetValue(partition, out var log) ? log.Rows : [])
        {
            yield return new(index, entry, log!.Personal.TryGetValue(index, out var personal) ? (ReadOnlyMemory<byte>?)personal : null);
        }
    }

    internal sealed class Log(int partition)
    {
        public int Partition { get; } = partition;

        public SortedDictionary<long, byte[]> Rows { get; } = [];

        public Dictionary<long, byte[]> Personal { get; } = [];

        public TilesInMemory Tiles { get; private set; } = new();

        public TileWriter Writer { get; private set; } = new();

        public byte[]? Frontier { get; set; } = new MerkleTree().ToBytes();

        public void Append(int count)
        {
            var leaves = new List<MerkleHash>();
            for (var i = 0; i < count; i++)
            {
                var index = Writer.Size + i;
                var personal = SaltedPersonal.Of(new PersonalPart($"c-{index / 3}", EMail: $"{index / 3}@example.org"));
                var entry = Entry(index, personal.Commitment()).Encode();
                Rows.Add(index, entry);
                Personal.Add(index, personal.Encode());
                leaves.Add(MerkleHash.Leaf(entry));
            }

            Tiles.Put(Writer.Append([.. leaves]));
            Frontier = Writer.Frontier();
        }

        public AuditEntry Entry(long index, MerkleHash? personal) =>
            AuditEntry.OfOrder(
                Partition,
                index,
                index + 1,
                $"o-{index / 3}",
                (index % 3) + 1,
                (index % 3) switch
                {
                    0 => "placed",
                    1 => "paid",
                    _ => "shipped",
                },
                Start.AddSeconds(index),
                new AuditedOrder("placed", "EUR", 100 + index, AuditedOrder.HashLines([])),
                personal
            );

        /// <summary>Changes what an entry says.</summary>
        public void Change(long index, Func<AuditEntry, AuditEntry> change) =>
            Rows[index] = change(AuditEntry.Decode(Rows[index])).Encode();

        /// <summary>What a thorough forger does: all tiles and the cursor's row are made again from the entries as they are now.</summary>
        public void Rebuild()
        {
            Tiles = new();
            Writer = new();
            foreach (var commit in Rows.Values.Chunk(1000))
            {
                Tiles.Put(Writer.Append([.. commit.Select(row => MerkleHash.Leaf(row))]));
            }

            Frontier = Writer.Frontier();
        }
    }
}
