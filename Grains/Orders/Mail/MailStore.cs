using System.Collections.Immutable;
using System.Security.Cryptography;
using Grains.Orders.Deliveries;
using Grains.Orders.Rows;
using Grains.Storage;

namespace Grains.Orders.Mail;

/// <summary>
/// What is kept for mail: what customers want, and the addresses that get none. Rows stand for themselves, so anybody may write them: the last one to write a row wins, and a change of a part holds the
/// row to its etag. Thread-safe.
/// </summary>
public sealed class MailStore(ITableStore store, TimeProvider clock)
{
    /// <summary>What a customer wants is read again after so long: a change is known everywhere then.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    /// <summary>Customers whose wishes are remembered. With one more, all are forgotten and read again.</summary>
    public const int MaxRemembered = 10_000;

    private const int Tries = 5;

    private readonly Dictionary<string, (CustomerPreferences Preferences, DateTimeOffset Until)> _remembered = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private byte[]? _unsubscribeKey;

    /// <summary>As it was <see cref="Fresh"/> ago at most.</summary>
    public async ValueTask<CustomerPreferences> Wishes(string customer, CancellationToken cancel)
    {
        lock (_lock)
        {
            if (_remembered.TryGetValue(customer, out var known) && clock.GetUtcNow() is var now && known.Until > now && known.Until <= now + Fresh)
            {
                return known.Preferences;
            }
        }

        var preferences = await Preferences(customer, cancel).ConfigureAwait(false);
        lock (_lock)
        {
            if (_remembered.Count >= MaxRemembered)
            {
                _remembered.Clear();
            }

            _remembered[customer] = (preferences, clock.GetUtcNow() + Fresh);
        }

        return preferences;
    }

    public async ValueTask<CustomerPreferences> Preferences(string customer, CancellationToken cancel)
    {
        var key = StoreLimits.HashKey(customer);
        var row = await store.Get(MailTable.Name, MailTable.Preferences(key), key, cancel).ConfigureAwait(false);
        return row is not null && OrderJson.Read<PreferencesRow>(row.Payload) is var kept && (kept.Customer ?? customer) == customer ? Of(kept) : CustomerPreferences.Everything;
    }

    /// <summary>Whoever wants everything leaves no row.</summary>
    public async Task Prefer(string customer, CustomerPreferences preferences, CancellationToken cancel)
    {
        if (preferences.Types.IsEmpty)
        {
            await Forget(customer, cancel).ConfigureAwait(false);
            return;
        }

        var key = StoreLimits.HashKey(customer);
        await Write(MailTable.Preferences(key), RowChange.Put(key, OrderJson.Write(new PreferencesRow(customer, preferences.Types, clock.GetUtcNow()))), cancel).ConfigureAwait(false);
        Drop(customer);
    }

    /// <summary>Nothing to forget is no error.</summary>
    public async Task Forget(string customer, CancellationToken cancel)
    {
        var key = StoreLimits.HashKey(customer);
        await Write(MailTable.Preferences(key), RowChange.Delete(key), cancel).ConfigureAwait(false);
        Drop(customer);
    }

    /// <summary>Null when mail goes to this address.</summary>
    public async ValueTask<Suppression?> Suppression(string address, CancellationToken cancel) =>
        await store.Get(MailTable.Name, MailTable.Suppressions, Mail.Suppression.Key(address), cancel).ConfigureAwait(false) is { } row ? OrderJson.Read<Suppression>(row.Payload) : null;

    /// <summary>Durable when it answers.</summary>
    public Task Suppress(string address, MailOutcome outcome, CancellationToken cancel) =>
        Write(MailTable.Suppressions, RowChange.Put(Mail.Suppression.Key(address), OrderJson.Write(Mail.Suppression.Of(address, outcome, clock.GetUtcNow()))), cancel);

    /// <summary>False when there was none.</summary>
    public async Task<bool> Lift(string address, CancellationToken cancel)
    {
        if (await Suppression(address, cancel).ConfigureAwait(false) is null)
        {
            return false;
        }

        await Write(MailTable.Suppressions, RowChange.Delete(Mail.Suppression.Key(address)), cancel).ConfigureAwait(false);
        return true;
    }

    /// <param name="after">A key of the page before.</param>
    public async Task<ImmutableArray<(string Key, Suppression Suppression)>> Suppressions(string? after, int take, CancellationToken cancel)
    {
        var range = after is null ? KeyRange.All : KeyRange.All.After(after);
        var rows = await store.Scan(MailTable.Name, MailTable.Suppressions, range, take, cancel).ConfigureAwait(false);
        return [.. rows.Select(row => (row.Key, OrderJson.Read<Suppression>(row.Payload)))];
    }

    /// <summary>Made once, by whoever needs it first.</summary>
    public async ValueTask<byte[]> UnsubscribeKey(CancellationToken cancel)
    {
        for (var tries = 0; _unsubscribeKey is null; tries++)
        {
            if (await store.Get(MailTable.Name, MailTable.Unsubscribe, MailTable.UnsubscribeKey, cancel).ConfigureAwait(false) is { } row)
            {
                _unsubscribeKey = OrderJson.Read<UnsubscribeKeyRow>(row.Payload).Key;
                break;
            }

            // Whether ours or another's came to be, the next reading tells.
            var made = OrderJson.Write(new UnsubscribeKeyRow(RandomNumberGenerator.GetBytes(32), clock.GetUtcNow()));
            var result = await store.Commit(MailTable.Name, MailTable.Unsubscribe, [RowChange.Insert(MailTable.UnsubscribeKey, made)], cancel).ConfigureAwait(false);
            GiveUpAfter(tries, MailTable.Unsubscribe, result);
        }

        return _unsubscribeKey;
    }

    /// <summary>No more mail for the customer whose hash this is; other channels are left as they are.</summary>
    public async Task Unsubscribe(string customerKey, string channel, CancellationToken cancel)
    {
        var partition = MailTable.Preferences(customerKey);
        for (var tries = 0; ; tries++)
        {
            var row = await store.Get(MailTable.Name, partition, customerKey, cancel).ConfigureAwait(false);
            var kept = row is null ? null : OrderJson.Read<PreferencesRow>(row.Payload);
            var types = (kept is null ? CustomerPreferences.Everything : Of(kept)).With(channel).Types;
            var payload = OrderJson.Write(new PreferencesRow(kept?.Customer, types, clock.GetUtcNow()));
            var change = row is null ? RowChange.Insert(customerKey, payload) : RowChange.Replace(customerKey, payload, row.ETag);
            var result = await store.Commit(MailTable.Name, partition, [change], cancel).ConfigureAwait(false);
            if (result.Outcome == CommitOutcome.Committed)
            {
                break;
            }

            GiveUpAfter(tries, partition, result);
        }

        lock (_lock)
        {
            _remembered.Clear(); // Whose name it is, is not known here.
        }
    }

    private static CustomerPreferences Of(PreferencesRow row) => new(row.Types.WithComparers(StringComparer.Ordinal));

    /// <summary>A row that may be written twice.</summary>
    private async Task Write(string partition, RowChange change, CancellationToken cancel)
    {
        for (var tries = 0; await store.Commit(MailTable.Name, partition, [change], cancel).ConfigureAwait(false) is { Outcome: not CommitOutcome.Committed } result; tries++)
        {
            GiveUpAfter(tries, partition, result);
        }
    }

    private static void GiveUpAfter(int tries, string partition, CommitResult result)
    {
        if (tries + 1 >= Tries)
        {
            throw new PartitionLostException(MailTable.Name, partition, result);
        }
    }

    private void Drop(string customer)
    {
        lock (_lock)
        {
            _remembered.Remove(customer);
        }
    }
}
