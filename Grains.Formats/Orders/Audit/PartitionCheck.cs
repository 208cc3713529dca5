using System.IO.Hashing;
using System.Runtime.InteropServices;
using Grains.Orders.Rows;

namespace Grains.Orders.Audit;

/// <summary>
/// One partition's part of a verification (<see cref="AuditVerifier"/>): one pass over its entries, which ends at the first one that is
/// certainly wrong.
/// </summary>
internal sealed class PartitionCheck(int partition, IAuditSource source, int maxOrders)
{
    private readonly MerkleTree _tree = new();
    private readonly CachedTiles _tiles = new(source.Tiles(partition), AuditVerifier.MaxTilesInMemory);
    private readonly VersionsSeen _versions = new(maxOrders);
    private readonly List<Item> _block = new(TileId.Width);

    /// <summary>Roots to be met, by size.</summary>
    private List<Anchor> _anchors = [];

    /// <summary>Of each level, the first entry under the node that is being built.</summary>
    private readonly Item[] _firsts = new Item[TileId.Levels];

    private long _lastRevision;
    private long _proven; // All entries before this one lead to a root that was met.
    private AuditFinding? _wrong;
    private AuditFinding? _noted; // Recorded so, or beside the entry: the pass goes on, or it would hide what comes after.
    private AuditFinding? _wrongTile;
    private bool _cursorPutBack;

    /// <summary>An entry and a tile differ, and neither leads to a root: the entries' own root decides.</summary>
    private AuditFinding? _suspect;
    private TileId _suspectTile;

    public long Entries { get; private set; }

    public long Covered { get; private set; }

    public long Erased { get; private set; }

    public long VersionsNotChecked => _versions.NotChecked;

    public IEnumerable<AuditFinding> Findings => new[] { _wrong, _noted, _wrongTile }.OfType<AuditFinding>();

    public async Task Run(IReadOnlyCollection<AuditHead> heads, CancellationToken cancel)
    {
        var storedSize = await ReadAnchors(heads, cancel);
        var end = storedSize is null ? long.MaxValue : Math.Max(storedSize.Value, _anchors.Count == 0 ? 0 : _anchors[^1].Size);
        var expected = 0L;
        AuditFinding? gap = null;
        await foreach (var row in source.Entries(partition, cancel))
        {
            if (row.Index >= end && expected == end)
            {
                gap = await WasAdded(row, cancel);
                break;
            }

            if (row.Index != expected)
            {
                var next = Item.Of(row);
                gap =
                    row.Index > expected
                        ? Find(
                            AuditFault.Missing,
                            expected,
                            null,
                            null,
                            $"is missing; the next one stored is entry {row.Index}{next.Named}"
                        )
                        : Find(
                            AuditFault.Reordered,
                            row.Index,
                            next.OrderId,
                            next.Version,
                            $"is given by the store after entry {expected - 1}"
                        );
                break;
            }

            expected++;
            Entries++;
            _block.Add(Item.Of(row));
            if (_block.Count == TileId.Width)
            {
                await CheckBlock(cancel);
                if (_wrong is not null)
                {
                    return;
                }
            }
        }

        await CheckBlock(cancel);
        if (_wrong is null)
        {
            CheckEnd(gap);
        }
    }

    private async Task<long?> ReadAnchors(IReadOnlyCollection<AuditHead> heads, CancellationToken cancel)
    {
        foreach (var head in heads)
        {
            if (head.Of(partition) is { } root)
            {
                _anchors.Add(new(root.Size, root.Root, $"the head of {AuditVerifier.Time(head)}", IsSigned: true));
            }
        }

        long? storedSize = null; // Not known when the row cannot be read.
        try
        {
            if (await source.Frontier(partition, cancel) is not { } frontier)
            {
                storedSize = 0;
            }
            else
            {
                var tree = MerkleTree.FromBytes(frontier.Span);
                _anchors.Add(new(tree.Size, tree.Root, "the cursor's row", IsSigned: false));
                storedSize = tree.Size;
            }
        }
        catch (FormatException e)
        {
            _wrongTile = new(
                AuditFault.TileDamaged,
                partition,
                null,
                null,
                null,
                $"Partition {partition}: the frontier in the cursor's row cannot be read. {e.Message}"
            );
        }

        if (_anchors.Where(anchor => anchor.IsSigned).MaxBy(anchor => anchor.Size) is { } newest && storedSize < newest.Size)
        {
            _cursorPutBack = true;
            _wrongTile = new(
                AuditFault.TileDamaged,
                partition,
                null,
                null,
                null,
                $"Partition {partition}: the cursor's row has {storedSize} entries, and {newest.Name} has {newest.Size}: the "
                    + $"row was put back."
            );
        }

        _anchors = [.. _anchors.Where(anchor => anchor.Size > 0).OrderBy(anchor => anchor.Size)];
        return storedSize;
    }

    /// <summary>An entry after the last one that the cursor's row had: recorded since, or by nobody.</summary>
    private async Task<AuditFinding?> WasAdded(StoredEntry row, CancellationToken cancel)
    {
        try
        {
            if (await source.Frontier(partition, cancel) is { } frontier && MerkleTree.FromBytes(frontier.Span).Size > row.Index)
            {
                return null;
            }
        }
        catch (FormatException)
        {
            // It could be read a moment ago: the next verification says so.
        }

        var added = Item.Of(row);
        return Find(
            AuditFault.Added,
            row.Index,
            added.OrderId,
            added.Version,
            $"was never recorded: the cursor's row ends at entry {_tree.Size + _block.Count - 1}"
        );
    }

    private async Task CheckBlock(CancellationToken cancel)
    {
        if (_block.Count == 0)
        {
            return;
        }

        var id = new TileId(0, _tree.Size / TileId.Width);
        var tile = await _tiles.Read(id, cancel) ?? ReadOnlyMemory<byte>.Empty;
        var completed = new MerkleHash[TileId.Levels];
        var isDecided = false; // Between tile and entries, by the first that differs.
        foreach (var item in _block)
        {
            if (
                (_wrong = await Misplaced(item, cancel)) is not null
                || (
                    !isDecided
                    && At(tile, (int)(item.Index % TileId.Width)) != item.Leaf
                    && (isDecided = true)
                    && await Differs(item, id, tile, cancel)
                )
                || (_wrong = Unreadable(item)) is not null
            )
            {
                return;
            }

            if ((OutOfSequence(item) ?? PersonalDiffers(item)) is { } noted)
            {
                _noted ??= noted;
            }

            for (var level = 0; level < TileId.Levels && _tree.Size % (1L << (level * TileId.Height)) == 0; level++)
            {
                _firsts[level] = item;
            }

            var levels = _tree.Append(item.Leaf, completed);
            for (var level = 1; level < levels; level++)
            {
                if (await NodeDiffers(level, completed[level], cancel))
                {
                    return;
                }
            }

            if (MissesAnchor())
            {
                return;
            }
        }

        _block.Clear();
    }

    /// <summary>An entry says its own place, so one that was moved shows.</summary>
    private async ValueTask<AuditFinding?> Misplaced(Item item, CancellationToken cancel)
    {
        if (item.Recorded is not { } recorded || (recorded.Index == item.Index && recorded.Partition == partition))
        {
            return null;
        }

        // Moved, when it is found where it says that it belongs or when its neighbours moved too; else what it says was changed.
        var home = await source.Tiles(recorded.Partition).Read(new(0, recorded.Index / TileId.Width), cancel) ?? ReadOnlyMemory<byte>.Empty;
        var wasThere = At(home, (int)(recorded.Index % TileId.Width)) == item.Leaf;
        if (recorded.Partition != partition)
        {
            return wasThere
                ? Find(AuditFault.Reordered, item, $"was recorded in partition {recorded.Partition}, as its entry {recorded.Index}")
                : Find(
                    AuditFault.Changed,
                    item,
                    $"was changed: it says that it is entry {recorded.Index} of partition {recorded.Partition}, which it is not"
                );
        }

        if (!IsInBlock(item.Index) && recorded.Index == item.Index + 1 && (wasThere || NextMovedUpToo(item)))
        {
            return Find(
                AuditFault.Missing,
                item.Index,
                null,
                null,
                $"is missing; in its place stands the one recorded as entry {recorded.Index}{item.Named}"
            );
        }

        return wasThere || IsInBlock(item.Index)
            ? Find(AuditFault.Reordered, item, $"stands in this place but was recorded as entry {recorded.Index}")
            : Find(AuditFault.Changed, item, $"was changed: it says that it is entry {recorded.Index}, which it is not");
    }

    private bool NextMovedUpToo(Item item) =>
        _block.Exists(other =>
            other.Index == item.Index + 1 && other.Recorded is { } there && there.Partition == partition && there.Index == item.Index + 2
        );

    /// <summary>Whether an entry of this block, wherever it stands, was recorded with this index.</summary>
    private bool IsInBlock(long index) =>
        _block.Exists(other => other.Recorded is { } there && there.Partition == partition && there.Index == index);

    /// <summary>True when the entry is certainly wrong. Else its tile is, or it is not decided yet.</summary>
    private async Task<bool> Differs(Item item, TileId id, ReadOnlyMemory<byte> tile, CancellationToken cancel)
    {
        var isFull = _block.Count == TileId.Width;
        var leaves = Leaves(tile);
        if (leaves.Length > item.Index % TileId.Width && await LeadsToRoot(id, leaves, item.Index, cancel))
        {
            _wrong = Find(AuditFault.Changed, item, "was changed: its hash is not the one that leads to the recorded root");
            return true;
        }

        if (isFull && await LeadsToRoot(id, [.. _block.Select(one => one.Leaf)], item.Index, cancel))
        {
            TileIsWrong(id);
            return false;
        }

        Suspect(Find(AuditFault.Changed, item, $"is not what {id} says, and neither of them leads to the recorded root"), id);
        return false;
    }

    /// <summary>
    /// Compares a node above full tiles, made from the entries, with the tile that keeps it. True when entries under it are certainly
    /// wrong.
    /// </summary>
    private async Task<bool> NodeDiffers(int level, MerkleHash node, CancellationToken cancel)
    {
        var index = TileId.CountAt(level, _tree.Size) - 1;
        var id = new TileId(level, index / TileId.Width);
        var kept = At(await _tiles.Read(id, cancel) ?? ReadOnlyMemory<byte>.Empty, (int)(index % TileId.Width));
        if (kept == node)
        {
            return false;
        }

        var below = new TileId(level - 1, index);
        if (await LeadsToRoot(below, node, cancel))
        {
            TileIsWrong(id);
            return false;
        }

        var first = _firsts[level];
        var finding = Find(
            AuditFault.Changed,
            first,
            $"or one of those after it, up to entry {_tree.Size - 1}, was changed together with its tile: their common hash is "
                + $"not the one in {id}"
        );
        if (kept is { } hash && await LeadsToRoot(below, hash, cancel))
        {
            _wrong = _suspect is { } earlier && earlier.Index >= first.Index ? earlier : finding;
            return true;
        }

        Suspect(finding, id);
        return false;
    }

    /// <summary>Compares the root at this size with the heads that are of this size. True when one of them is of another history.</summary>
    private bool MissesAnchor()
    {
        foreach (var anchor in _anchors)
        {
            if (anchor.Size != _tree.Size)
            {
                continue;
            }

            if (anchor.Root != _tree.Root)
            {
                _wrong = _suspect
                    ?? new(
                        AuditFault.OtherHistory,
                        partition,
                        _proven,
                        null,
                        null,
                        $"Partition {partition}: entries {_proven} to {_tree.Size - 1} do not lead to the root that "
                            + $"{anchor.Name} has for {anchor.Size} entries. One of them was changed, and every tile above it too."
                    );
                return true;
            }

            _proven = _tree.Size;
            Covered = anchor.IsSigned ? _tree.Size : Covered;
            if (_suspect is not null)
            {
                _suspect = null;
                TileIsWrong(_suspectTile);
            }
        }

        return false;
    }

    private void CheckEnd(AuditFinding? gap)
    {
        if (_suspect is not null || gap is not null)
        {
            _wrong = _suspect ?? gap;
        }
        else if (_anchors is [.., var last] && last.Size > _tree.Size)
        {
            _wrongTile = _cursorPutBack ? null : _wrongTile; // The cursor was cut to fit, which the same sentence tells.
            _wrong = Find(
                AuditFault.Truncated,
                _tree.Size,
                null,
                null,
                $"is missing and all after it are: {last.Name} has {last.Size} entries, and {_tree.Size} are stored"
            );
        }
    }

    private AuditFinding? Unreadable(Item item) =>
        item.Unreadable is { } why ? Find(AuditFault.Changed, item, $"cannot be read: {why}") : null;

    private AuditFinding? OutOfSequence(Item item)
    {
        if (item.Recorded is not { } entry)
        {
            return null;
        }

        if (entry.Revision != 0)
        {
            if (entry.Revision < _lastRevision)
            {
                return Find(AuditFault.Sequence, item, $"tells of revision {entry.Revision} after one of revision {_lastRevision}");
            }

            _lastRevision = entry.Revision;
        }

        return entry.Kind == AuditEntryKind.OrderChange && _versions.Missing(entry.OrderId, entry.Version) is { } missing
            ? Find(AuditFault.Sequence, item, missing)
            : null;
    }

    private AuditFinding? PersonalDiffers(Item item)
    {
        if (item.Recorded?.PersonalHash is null && item.Personal is null)
        {
            return null;
        }

        if (item.Personal is not { } personal)
        {
            Erased++;
            return null;
        }

        return item.Recorded?.PersonalHash == personal
            ? null
            : Find(
                AuditFault.PersonalChanged,
                item,
                "is as it was recorded, but the personal part beside it is not the one it was recorded with"
            );
    }

    private void Suspect(AuditFinding finding, TileId tile)
    {
        if (_suspect is null)
        {
            (_suspect, _suspectTile) = (finding, tile);
        }
    }

    private void TileIsWrong(TileId id) =>
        _wrongTile ??= new(
            AuditFault.TileDamaged,
            partition,
            id.Index << ((id.Level * TileId.Height) + TileId.Height),
            null,
            null,
            $"Partition {partition}: tile {id} was changed or is missing; the entries under it are as they were recorded. "
                + $"Proofs that need it fail until it is made again from them."
        );

    /// <summary>
    /// Whether leaf hashes of one tile of level 0 are those under a root. Of an unfinished tile this is only known of the tile as it is
    /// stored.
    /// </summary>
    private async Task<bool> LeadsToRoot(TileId id, MerkleHash[] leaves, long index, CancellationToken cancel)
    {
        if (leaves.Length == TileId.Width && await LeadsToRoot(id, TileReader.Fold(leaves), cancel))
        {
            return true;
        }

        var end = (id.Index + 1) * TileId.Width;
        var isStored = await _tiles.Read(id, cancel) is { } stored && Leaves(stored).AsSpan().SequenceEqual(leaves);
        foreach (var anchor in _anchors.Where(anchor => isStored && index < anchor.Size && anchor.Size < end))
        {
            try
            {
                if (await new TileReader(_tiles).Root(anchor.Size, cancel) == anchor.Root)
                {
                    return true;
                }
            }
            catch (InvalidDataException)
            {
                // A tile that is needed is missing: this root says nothing.
            }
        }

        return false;
    }

    /// <summary>
    /// Whether <paramref name="root"/> is the root of the full tile <paramref name="id"/> in a tree that is under a head or the cursor.
    /// </summary>
    private async Task<bool> LeadsToRoot(TileId id, MerkleHash root, CancellationToken cancel)
    {
        var height = (id.Level + 1) * TileId.Height;
        foreach (var anchor in _anchors.Where(anchor => anchor.Size >= (id.Index + 1) << height))
        {
            try
            {
                var path = await new TileReader(_tiles).PathAbove(id, anchor.Size, cancel);
                if (InclusionProof.RootFrom(root, id.Index, (anchor.Size - 1) >> height, path.AsSpan()) == anchor.Root)
                {
                    return true;
                }
            }
            catch (InvalidDataException)
            {
                // A tile that is needed is missing: this root says nothing.
            }
        }

        return false;
    }

    private AuditFinding Find(AuditFault fault, Item item, string what) => Find(fault, item.Index, item.OrderId, item.Version, what);

    private AuditFinding Find(AuditFault fault, long index, string? orderId, long? version, string what) =>
        new(
            fault,
            partition,
            index,
            orderId,
            version,
            $"Partition {partition}, entry {index}{(orderId is null ? "" : $" (order {orderId}, version {version})")} {what}."
        );

    private static MerkleHash? At(ReadOnlyMemory<byte> tile, int place) =>
        tile.Length >= (place + 1) * MerkleHash.Size
            ? MerkleHash.FromBytes(tile.Span.Slice(place * MerkleHash.Size, MerkleHash.Size))
            : null;

    private static MerkleHash[] Leaves(ReadOnlyMemory<byte> tile) =>
        MemoryMarshal
            .Cast<byte, MerkleHash>(tile.Span[..(Math.Min(tile.Length, TileId.MaxBytes) / MerkleHash.Size * MerkleHash.Size)])
            .ToArray();

    /// <summary>A root that is known for a size.</summary>
    private sealed record Anchor(long Size, MerkleHash Root, string Name, bool IsSigned);

    /// <summary>What is kept of an entry until its block is checked.</summary>
    /// <param name="Recorded">The entry without its payload; null when it cannot be read.</param>
    /// <param name="Personal">The commitment that the personal part beside it gives; a hash that no part has when it cannot be
    /// read.</param>
    private readonly record struct Item(long Index, MerkleHash Leaf, AuditEntry? Recorded, string? Unreadable, MerkleHash? Personal)
    {
        public string? OrderId => Recorded is { OrderId.Length: > 0 } entry ? entry.OrderId : null;

        public long? Version => Recorded is { OrderId.Length: > 0 } entry ? entry.Version : null;

        public string Named => OrderId is null ? "" : $" (order {OrderId}, version {Version})";

        public static Item Of(StoredEntry row)
        {
            var leaf = MerkleHash.Leaf(row.Entry.Span);
            try
            {
                var entry = AuditEntry.Decode(row.Entry.Span) with { Payload = default };
                return new(row.Index, leaf, entry, null, CommitmentOf(row.Personal));
            }
            catch (FormatException e)
            {
                return new(row.Index, leaf, null, e.Message, null);
            }
        }

        private static MerkleHash? CommitmentOf(ReadOnlyMemory<byte>? personal)
        {
            if (personal is not { } bytes)
            {
                return null;
            }

            try
            {
                return SaltedPersonal.Decode(bytes.Span).Commitment();
            }
            catch (FormatException)
            {
                return MerkleHash.Empty; // Not readable is not the part that was recorded; no part has this commitment.
            }
        }
    }

    /// <summary>The last version of each order, so that a change that was never recorded shows.</summary>
    private sealed class VersionsSeen(int capacity)
    {
        private readonly Dictionary<UInt128, long> _last = [];
        private readonly Queue<UInt128> _oldest = new();
        private bool _forgot;

        public long NotChecked { get; private set; }

        public string? Missing(string orderId, long version)
        {
            // 128 bits: two of a million orders share a key with odds of 1 in 10^27.
            var key = XxHash128.HashToUInt128(MemoryMarshal.AsBytes(orderId.AsSpan()));
            ref var last = ref CollectionsMarshal.GetValueRefOrAddDefault(_last, key, out var isKnown);
            var before = last;
            last = version;
            if (isKnown)
            {
                return version == before + 1 ? null : $"is this order's version {version}, and the one before it in the audit is {before}";
            }

            _oldest.Enqueue(key);
            if (_oldest.Count > capacity)
            {
                _last.Remove(_oldest.Dequeue());
                _forgot = true;
            }

            if (version == 1)
            {
                return null;
            }

            NotChecked += _forgot ? 1 : 0;
            return _forgot ? null : $"is this order's version {version}, and none before it is in the audit";
        }
    }

    /// <summary>Neighbouring entries need the same tiles: the last few that were read are kept.</summary>
    private sealed class CachedTiles(ITileSource tiles, int capacity) : ITileSource
    {
        private readonly Dictionary<TileId, ReadOnlyMemory<byte>?> _read = [];
        private readonly Queue<TileId> _oldest = new();

        public async ValueTask<ReadOnlyMemory<byte>?> Read(TileId tile, CancellationToken cancel = default)
        {
            if (_read.TryGetValue(tile, out var bytes))
            {
                return bytes;
            }

            bytes = await tiles.Read(tile, cancel);
            _read.Add(tile, bytes);
            _oldest.Enqueue(tile);
            if (_oldest.Count > capacity)
            {
                _read.Remove(_oldest.Dequeue());
            }

            return bytes;
        }
    }
}
