using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Grains.Interfaces.Orders;
using Grains.Orders.Audit;
using Grains.Orders.Rows;
using Grains.Storage;
using Microsoft.Extensions.Options;

namespace Grains.Orders;

/// <summary>Signs heads and keeps the last of them, the private key beside them unless a file with one is given.</summary>
/// <remarks>
/// Its rows are in a partition of the subscribers' table: <c>k</c> the private key, <c>t.{time}</c> a head. Whoever can write there can
/// sign as well: heads convince who has them from before, from elsewhere.
/// </remarks>
[GrainType("audithead")]
public sealed class AuditHeadGrain(ITableStore store, IOptions<OrdersOptions> options, TimeProvider clock)
    : Grain,
        IAuditHeadGrain,
        IDisposable
{
    private const string Partition = "audit.heads";
    private const string KeyRow = "k";
    private const string HeadPrefix = "t.";

    /// <summary>Old heads that go with a new one.</summary>
    private const int Trim = 10;

    private readonly StoredAudit _audit = new(store, options.Value.Partitions);
    private PartitionWriter _writer = null!;
    private AuditKey _key = null!;
    private SignedAuditHead? _last;
    private int _count;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var fence = await store.Get(SubscriberTable.Name, Partition, PartitionWriter.HeadKey, cancellationToken);
        _writer = new(store, SubscriberTable.Name, Partition, () => [], fence?.ETag, () => { });
        await _writer.CommitHead();
        _key = options.Value.AuditKey is { Length: > 0 } file ? AuditKeyFile.Read(file) : await StoredKey(cancellationToken);
        for (var range = KeyRange.Prefix(HeadPrefix); ; )
        {
            var rows = await store.Scan(SubscriberTable.Name, Partition, range, StoreLimits.MaxScan, cancellationToken);
            _count += rows.Count;
            _last = rows.Count > 0 ? Read(rows[^1]) : _last;
            if (rows.Count < StoreLimits.MaxScan)
            {
                break;
            }

            range = range.After(rows[^1].Key);
        }
    }

    public void Dispose() => _key?.Dispose();

    public async Task<string> Head(CancellationToken cancel)
    {
        var roots = await Task.WhenAll(
            Enumerable.Range(0, options.Value.Partitions).Select(partition => _audit.Root(partition, cancel).AsTask())
        );
        if (_last is null || _last.KeyId != _key.PublicKey.Id || !_last.Head.Roots.SequenceEqual(roots))
        {
            await Keep(_key.Sign(new(After(_last), roots)), cancel);
        }

        return _last!.ToJson();
    }

    public async Task<ImmutableArray<string>> Heads(int take, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(take, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(take, IAuditHeadGrain.MaxHeads);
        var heads = new List<string>();
        for (var range = KeyRange.Prefix(HeadPrefix); ; )
        {
            var rows = await store.Scan(SubscriberTable.Name, Partition, range, StoreLimits.MaxScan, cancel);
            heads.AddRange(rows.Select(row => Encoding.UTF8.GetString(row.Payload.Span)));
            if (rows.Count < StoreLimits.MaxScan)
            {
                return [.. heads.AsEnumerable().Reverse().Take(take)];
            }

            range = range.After(rows[^1].Key);
        }
    }

    public Task<string> PublicKey(CancellationToken cancel) => Task.FromResult(_key.PublicKey.ToPem());

    public Task Wake(CancellationToken cancel) =>
        _last is { } last && clock.GetUtcNow() - last.Head.At < options.Value.AuditHeadEvery ? Task.CompletedTask : Head(cancel);

    /// <summary>Later than the last, whatever the clock says: heads are in the order of their times.</summary>
    private DateTimeOffset After(SignedAuditHead? last) =>
        clock.GetUtcNow() is var now && last is not null && now <= last.Head.At ? last.Head.At.AddTicks(1) : now;

    private async Task Keep(SignedAuditHead head, CancellationToken cancel)
    {
        var old =
            _count < IAuditHeadGrain.MaxHeads
                ? []
                : await store.Scan(
                    SubscriberTable.Name,
                    Partition,
                    KeyRange.Prefix(HeadPrefix),
                    Math.Min(Trim, _count - IAuditHeadGrain.MaxHeads + 1),
                    cancel
                );
        var key = string.Create(CultureInfo.InvariantCulture, $"{HeadPrefix}{head.Head.At.UtcTicks:x16}");
        await Commit([RowChange.Insert(key, Encoding.UTF8.GetBytes(head.ToJson())), .. old.Select(row => RowChange.Delete(row.Key))]);
        _count += 1 - old.Count;
        _last = head;
    }

    private async Task<AuditKey> StoredKey(CancellationToken cancel)
    {
        if (await store.Get(SubscriberTable.Name, Partition, KeyRow, cancel) is { } row)
        {
            return AuditKey.FromPem(Encoding.ASCII.GetString(row.Payload.Span));
        }

        var made = AuditKey.Create();
        await Commit([RowChange.Insert(KeyRow, Encoding.ASCII.GetBytes(made.ToPem()))]);
        return made;
    }

    private async Task Commit(IReadOnlyList<RowChange> rows)
    {
        try
        {
            await _writer.Commit(new Rows(rows));
        }
        catch (PartitionLostException)
        {
            DeactivateOnIdle();
            throw;
        }
    }

    private static SignedAuditHead Read(TableRow row) => SignedAuditHead.FromJson(Encoding.UTF8.GetString(row.Payload.Span));

    private sealed class Rows(IReadOnlyList<RowChange> rows) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            foreach (var row in rows)
            {
                commit.Add(row);
            }

            return true;
        }
    }
}
