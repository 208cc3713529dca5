using System.Text;
using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;
using Grains.Orders.Rows;
using Grains.Storage;

namespace Grains.Orders.Audit;

/// <summary>
/// The audit of one partition: each change a leaf of its Merkle tree. Entries, personal parts, tiles and the tree's frontier go into the
/// cursor's commit, so none can be without the others.
/// </summary>
public sealed class AuditSubscriber(int partition) : IOrderProjector, IOrderNoteTaker, IErasingSubscriber
{
    public const string Name = IAuditGrain.Subscriber;

    /// <summary>Bytes of entries, or of personal parts, in one commit: each is one row.</summary>
    private const int MaxRowBytes = 384 * 1024;

    /// <summary>Rows of personal parts that are erased in one commit.</summary>
    private const int ErasedAtOnce = 4;

    private readonly List<byte[]?> _entries = [];
    private readonly List<byte[]?> _personal = [];
    private readonly List<MerkleHash> _leaves = [];
    private ISubscriberStore _store = null!;
    private TileWriter _tiles = new();
    private int _entryBytes;
    private int _personalBytes;

    /// <summary>It begins with the first change there is, skips none, and is told all else that happens.</summary>
    public static SubscriberRules Rules { get; } =
        new()
        {
            Name = Name,
            FromStart = true,
            Halts = true,
            TakesNotes = true,
            Within = null,
            Backoff = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30)],
            RowsOfSeal = 2 + TileId.Levels + 1,
        };

    public ReadOnlyMemory<byte> State => _tiles.Frontier();

    public async ValueTask Open(ISubscriberStore store, ReadOnlyMemory<byte> state, CancellationToken cancel)
    {
        _store = store;
        _tiles = state.IsEmpty ? new() : await TileWriter.Restore(MerkleTree.FromBytes(state.Span), new Tiles(store), cancel);
    }

    public ValueTask<DeliveryResult> Handle(Handling handling, CancellationToken cancel)
    {
        var change = handling.Change;
        return new(
            DeliveryResult.Done(commit =>
            {
                var order = change.Order;
                // An order that was erased while its change waited has nothing personal to commit to.
                var personal = Erasure.IsDone(order)
                    ? null
                    : SaltedPersonal.Of(new(order.Customer, order.Email, order.Language, order.Notes));
                var audited = AuditedOf(order);
                return Append(commit, order.Id, personal?.Encode(), index =>
                    AuditEntry.OfOrder(
                        partition,
                        index,
                        change.Revision,
                        order.Id.Value,
                        order.Version,
                        change.Type,
                        change.At,
                        audited,
                        personal?.Commitment()
                    )
                );
            })
        );
    }

    public DeliveryResult Record(OrderNote note) => DeliveryResult.Done(commit => Append(commit, note.Order, null, index => new()
                {
                    Kind = (AuditEntryKind)note.Kind,
                    Partition = partition,
                    Index = index,
                    Revision = 0,
                    OrderId = note.Order.Value ?? "",
                    Version = 0,
                    Type = note.Type,
                    At = note.At,
                    Payload = Encoding.UTF8.GetBytes(note.Detail.Length > 1000 ? note.Detail[..1000] : note.Detail),
                }));

    public void Seal(CommitBuilder commit)
    {
        if (_leaves.Count == 0)
        {
            return;
        }

        foreach (var tile in _tiles.Append(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_leaves)))
        {
            commit.Add(RowChange.Put(tile.Key, tile.Bytes));
        }

        commit.Add(RowChange.Insert(AuditRows.Entries(_tiles.Size - 1), AuditRows.Write(_entries)));
        if (_personalBytes > 0)
        {
            commit.Add(RowChange.Insert(AuditRows.Personal(_tiles.Size - 1), AuditRows.Write(_personal)));
        }

        _leaves.Clear();
        _entries.Clear();
        _personal.Clear();
        (_entryBytes, _personalBytes) = (0, 0);
    }

    /// <summary>Removes salts and parts of these orders' entries; that it was done is an entry itself, before it is done.</summary>
    public async ValueTask<DeliveryResult> Erase(IReadOnlyCollection<OrderId> orders, DateTimeOffset now, CancellationToken cancel)
    {
        var rows = new SortedDictionary<string, HashSet<int>>(StringComparer.Ordinal);
        foreach (var order in orders)
        {
            if (await Find(order, rows, cancel))
            {
                await _store.Commit(DeliveryResult.Done(commit => Append(commit, order, null, index => new()
                            {
                                Kind = AuditEntryKind.Erase,
                                Partition = partition,
                                Index = index,
                                Revision = 0,
                                OrderId = order.Value,
                                Version = 0,
                                Type = "order.erased",
                                At = now,
                            })));
            }
        }

        foreach (var some in rows.Chunk(ErasedAtOnce))
        {
            var changes = new List<RowChange>();
            foreach (var (key, places) in some)
            {
                if (await _store.Get(key, cancel) is { } row)
                {
                    var parts = AuditRows.Read(row.Payload).Select((part, i) => places.Contains(i) ? null : part).ToList();
                    changes.Add(
                        parts.TrueForAll(part => part is null) ? RowChange.Delete(key) : RowChange.Put(key, AuditRows.Write(parts))
                    );
                }
            }

            await _store.Commit(DeliveryResult.Done(changes));
        }

        return DeliveryResult.Done();
    }

    /// <summary>What an entry says of an order.</summary>
    public static AuditedOrder AuditedOf(Order order) =>
        new(
            order.Status.ToString().ToLowerInvariant(),
            order.Currency,
            order.Total,
            AuditedOrder.HashLines([.. order.Lines.Select(line => new AuditedLine(line.Sku, line.Quantity, line.Price))])
        );

    /// <summary>Where this order's personal parts are; true when there are any.</summary>
    private async Task<bool> Find(OrderId order, SortedDictionary<string, HashSet<int>> rows, CancellationToken cancel)
    {
        var found = false;
        foreach (var key in await _store.Scan(AuditRows.OfOrder(order), StoreLimits.MaxScan, cancel))
        {
            var index = AuditRows.IndexIn(key.Key);
            if (await _store.Scan(AuditRows.PersonalFrom(index), 1, cancel) is not [var row])
            {
                continue;
            }

            var parts = AuditRows.Read(row.Payload);
            var place = index - (AuditRows.LastIndex(row.Key) - parts.Length + 1);
            if (place >= 0 && parts[(int)place] is not null)
            {
                found = true;
                (rows.TryGetValue(row.Key, out var places) ? places : rows[row.Key] = []).Add((int)place);
            }
        }

        return found;
    }

    /// <summary>The next entry; false when the commit has no room for it.</summary>
    private bool Append(CommitBuilder commit, OrderId order, byte[]? personal, Func<long, AuditEntry> make)
    {
        if (
            !commit.HasRoom(1 + Rules.RowsOfSeal, _entryBytes + _personalBytes)
            || _entryBytes >= MaxRowBytes
            || _personalBytes >= MaxRowBytes
        )
        {
            return false;
        }

        var index = _tiles.Size + _leaves.Count;
        var entry = make(index).Encode();
        _leaves.Add(MerkleHash.Leaf(entry));
        _entries.Add(entry);
        _personal.Add(personal);
        _entryBytes += entry.Length + 4;
        _personalBytes += personal is null ? 0 : personal.Length + 4;
        commit.Add(RowChange.Insert(AuditRows.OfOrder(order, index), ReadOnlyMemory<byte>.Empty));
        return true;
    }

    private sealed class Tiles(ISubscriberStore store) : ITileSource
    {
        public async ValueTask<ReadOnlyMemory<byte>?> Read(TileId tile, CancellationToken cancel = default) =>
            (await store.Get(tile.Key, cancel))?.Payload;
    }
}
