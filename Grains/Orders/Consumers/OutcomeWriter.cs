using Grains.Interfaces.Orders;
using Grains.Orders.Rows;
using Grains.Storage;

namespace Grains.Orders.Consumers;

/// <summary>
/// Puts what became of changes into the commit that is being filled: counters, deliveries, dead letters, notes for the audit.
/// </summary>
/// <remarks>A row is changed once in a commit: what would change one again goes into the next.</remarks>
internal sealed class OutcomeWriter(SubscriberRules rules, SubscriberHeadRow head, TimeProvider clock, bool hasNoteTaker)
{
    /// <summary>Bytes of a delivery's row, about: its history without the answers.</summary>
    private const int DeliveryBytes = 8 * 1024;

    /// <summary>Bytes of JSON for a character of an answer, at most.</summary>
    private const int BytesOfCharacter = 3;

    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly List<string> _deliveries = [];

    /// <summary>The number of the last note that the audit was told.</summary>
    public long Told { get; set; }

    /// <summary>As many notes wait for the audit as may.</summary>
    public bool HasUntold => head.Notes - Told >= DeliveryScheduler.MaxUntold;

    /// <summary>Another commit is filled.</summary>
    public void Begin()
    {
        _keys.Clear();
        _deliveries.Clear();
    }

    /// <summary>The row is changed in this commit already.</summary>
    public bool Has(string key) => _keys.Contains(key);

    public void Add(CommitBuilder commit, RowChange row)
    {
        _keys.Add(row.Key);
        commit.Add(row);
    }

    /// <summary>With room left for the seal, and for the row that names the deliveries.</summary>
    public bool HasRoom(CommitBuilder commit, int rows, int bytes) =>
        commit.HasRoom(rows + rules.RowsOfSeal + (rules.Channel is null ? 0 : 1), bytes);

    /// <summary>Room for what became of a change, beside these rows.</summary>
    public bool HasRoom(CommitBuilder commit, int rows, int bytes, ChangeItem item)
    {
        var isDone = item.State == ItemState.Finished && item.Outcome!.Outcome == DeliveryOutcome.Done;
        var answers = item.History.Sum(tried => tried.Answer?.Length ?? 0) * BytesOfCharacter;
        var order = isDone ? 0 : (Order.MaxBytes * 2) + answers;
        return rules.Channel is null
            ? HasRoom(commit, rows, bytes + order)
            : HasRoom(commit, rows + 2, bytes + DeliveryBytes + answers + order);
    }

    /// <summary>What the subscriber wants kept, and what the audit is to hear. False when the commit has no room for it.</summary>
    public bool Keep(DeliveryResult outcome, CommitBuilder commit)
    {
        if (outcome.Rows.Any(row => _keys.Contains(row.Key)) || (outcome.Fill is { } fill && !fill(commit)))
        {
            return false;
        }

        foreach (var row in outcome.Rows)
        {
            Add(commit, row);
        }

        Notes(outcome.Notes, commit);
        outcome.Filled?.Invoke();
        return true;
    }

    /// <summary>A change is done with, or dead.</summary>
    public void Count(ChangeItem item, DeliveryResult outcome, CommitBuilder commit)
    {
        if (outcome.Outcome == DeliveryOutcome.Done)
        {
            head.CountDone(outcome.As, outcome.Reason);
            if (outcome.As is DoneAs.Delivered or DoneAs.Suppressed)
            {
                var status = outcome.As == DoneAs.Delivered ? DeliveryStatus.Delivered : DeliveryStatus.Suppressed;
                Deliver(item, status, outcome.Reason, outcome.Detail, commit);
            }

            return;
        }

        var group = head.Group(outcome.Reason);
        head.CountDead(group, 1);
        Deliver(item, DeliveryStatus.Dead, group, outcome.Detail, commit);
        var letter = item.Row() with { Reason = group, Detail = outcome.Detail, At = clock.GetUtcNow() };
        Add(commit, RowChange.Put(SubscriberTable.Dead(item.Revision), OrderJson.Write(letter)));
    }

    /// <summary>It waits in a row until it is due.</summary>
    public void Wait(ChangeItem item, DateTimeOffset due, CommitBuilder commit)
    {
        item.Key = SubscriberTable.Waiting(due, item.Revision);
        Add(commit, RowChange.Put(item.Key, OrderJson.Write(item.Row())));
    }

    /// <summary>What became of a delivery is kept.</summary>
    public void Deliver(DeliveryRow row, OrderId order, CommitBuilder commit)
    {
        var key = SubscriberTable.Delivery(order, row.Version);
        Add(commit, RowChange.Put(key, OrderJson.Write(row)));
        _deliveries.Add(key);
    }

    /// <summary>What the audit is to be told goes into the commit of what it tells of.</summary>
    public void Notes(IEnumerable<OrderNote> notes, CommitBuilder commit)
    {
        foreach (var note in notes)
        {
            var number = ++head.Notes;
            commit.Add(RowChange.Insert(SubscriberTable.Note(number), OrderJson.Write(note with { Number = number })));
        }
    }

    /// <summary>The commit's deliveries under the time of the commit, for when they are not kept any more. After all of them.</summary>
    public void NameDeliveries(CommitBuilder commit)
    {
        if (_deliveries.Count > 0)
        {
            var key = SubscriberTable.Expiry(clock.GetUtcNow(), _deliveries[0]);
            commit.Add(RowChange.Put(key, OrderJson.Write<IReadOnlyList<string>>(_deliveries.ToArray())));
        }
    }

    private void Deliver(ChangeItem item, DeliveryStatus status, string reason, string detail, CommitBuilder commit)
    {
        if (rules.Channel is null)
        {
            return;
        }

        var (now, change) = (clock.GetUtcNow(), item.Change);
        Deliver(
            new(change.Revision, change.Version, change.Type, status, reason, detail, item.Attempts, now, item.History),
            change.OrderId,
            commit
        );
        if (hasNoteTaker)
        {
            var note = new OrderNote(
                0,
                (byte)AuditEntryKind.DeliveryOutcome,
                change.OrderId,
                change.Version,
                $"{rules.Name}.{DeliveryForm.Word(status)}",
                now,
                $"{change.Type}, attempt {item.Attempts}: {reason}"
            );
            Notes([note], commit);
        }
    }
}
