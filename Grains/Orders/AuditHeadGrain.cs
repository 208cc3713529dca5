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
    private OwnedPartition _rows = null!;
    private AuditKey _key = null!;
    private SignedAuditHead? _last;
    private int _count;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _rows = await OwnedPartition.Read(store, SubscriberTable.Name, Partition, cancellationToken);
        _rows.Own(() => []);
        await _rows.Fence();
        _key = options.Value.AuditKey is { Length: > 0 } file ? AuditKeyFile.Read(file) : await StoredKey(cancellationToken);
        TableRow? last = null;
        await foreach (var row in _rows.ScanAll(KeyRange.Prefix(HeadPrefix), cancel: cancellationToken))
        {
            (_count, last) = (_count + 1, row);
        }

        _last = last is null ? null : Read(last);
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
        await foreach (var row in _rows.ScanAll(KeyRange.Prefix(HeadPrefix), cancel: cancel))
        {
            heads.Add(Encoding.UTF8.GetString(row.Payload.Span));
        }

        return [.. heads.AsEnumerable().Reverse().Take(take)];
    }

    public async Task<ImmutableArray<string>> Checkpoints(CancellationToken cancel)
    {
        var head = SignedAuditHead.FromJson(await Head(cancel)).Head;
        return [.. head.Roots.Select(root => AuditCheckpoint.Of(_key.PublicKey, root).Sign(_key))];
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
                : await _rows.Scan(KeyRange.Prefix(HeadPrefix), Math.Min(Trim, _count - IAuditHeadGrain.MaxHeads + 1), cancel);
        var key = string.Create(CultureInfo.InvariantCulture, $"{HeadPrefix}{head.Head.At.UtcTicks:x16}");
        await Commit([RowChange.Insert(key, Encoding.UTF8.GetBytes(head.ToJson())), .. old.Select(row => RowChange.Delete(row.Key))]);
        _count += 1 - old.Count;
        _last = head;
    }

    private async Task<AuditKey> StoredKey(CancellationToken cancel)
    {
        if (await _rows.Get(KeyRow, cancel) is { } row)
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
            await _rows.Commit(rows);
        }
        catch (PartitionLostException)
        {
            DeactivateOnIdle();
            throw;
        }
    }

    private static SignedAuditHead Read(TableRow row) => SignedAuditHead.FromJson(Encoding.UTF8.GetString(row.Payload.Span));
}
