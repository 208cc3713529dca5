using System.Collections.Immutable;
using System.Security.Cryptography;
using Grains.Storage;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>
/// What is kept for mail: what customers want, and the addresses that get none. Rows stand for themselves, so anybody may write them: the
/// last one to write a row wins, and a change of a part holds the
/// row to its etag. Thread-safe.
/// </summary>
/// <param name="suppressFor">How long an address gets no mail after its last hard bounce; null: <see cref="UsualSuppression"/>.</param>
public sealed class MailStore(ITableStore store, TimeProvider clock, TimeSpan? suppressFor = null)
{
    public static readonly TimeSpan UsualSuppression = TimeSpan.FromDays(30);

    /// <summary>What a customer wants is read again after so long: a change is known everywhere then.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    /// <summary>Customers whose wishes are remembered. With one more, all are forgotten and read again.</summary>
    public const int MaxRemembered = 10_000;

    private const int Tries = 5;

    private readonly TimeSpan _suppressFor = suppressFor ?? UsualSuppression;
    private readonly Dictionary<string, (CustomerPreferences Preferences, DateTimeOffset Until)> _remembered = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private byte[]? _unsubscribeKey;

    /// <summary>As it was <see cref="Fresh"/> ago at most.</summary>
    public async ValueTask<CustomerPreferences> Wishes(string customer, CancellationToken cancel)
    {
        lock (_lock)
        {
            if (
                _remembered.TryGetValue(customer, out var known)
                && clock.GetUtcNow() is var now
                && known.Until > now
                && known.Until <= now + Fresh
            )
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
        return row is not null && MailJson.Read<PreferencesRow>(row.Payload) is var kept && (kept.Customer ?? customer) == customer
            ? Of(kept)
            : CustomerPreferences.Everything;
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
        await Write(
                MailTable.Preferences(key),
                RowChange.Put(key, MailJson.Write(new PreferencesRow(customer, preferences.Types, clock.GetUtcNow()))),
                cancel
            )
            .ConfigureAwait(false);
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
        await Bounces(address, cancel).ConfigureAwait(false) is { } known && Holds(known) ? known : null;

    /// <summary>What is kept of an address's hard bounces, whether they hold mail back or not; null: nothing.</summary>
    public async ValueTask<Suppression?> Bounces(string address, CancellationToken cancel) =>
        await store.Get(MailTable.Name, MailTable.Suppressions, Mail.Suppression.Key(address), cancel).ConfigureAwait(false) is { } row
            ? MailJson.Read<Suppression>(row.Payload)
            : null;

    /// <summary>Mail to the address is held back now.</summary>
    public bool Holds(Suppression known) => known.Holds(clock.GetUtcNow(), _suppressFor);

    /// <summary>Counts a hard bounce; the last one that is needed suppresses the address. Durable when it answers.</summary>
    /// <param name="mail">Which mail bounced: the same one counts once.</param>
    public async Task Bounced(string address, string mail, MailOutcome outcome, CancellationToken cancel)
    {
        var key = Mail.Suppression.Key(address);
        for (var tries = 0; ; tries++)
        {
            var row = await store.Get(MailTable.Name, MailTable.Suppressions, key, cancel).ConfigureAwait(false);
            var (now, known) = (clock.GetUtcNow(), row is null ? null : MailJson.Read<Suppression>(row.Payload));
            if (known?.Mail == mail)
            {
                return;
            }

            var before = known is not null && known.IsKnown(now, _suppressFor) ? known.Bounces ?? Mail.Suppression.Needed : 0;
            var bounced = Mail.Suppression.Of(address, outcome, now) with
            {
                Bounces = Math.Min(before + 1, Mail.Suppression.Needed),
                Mail = mail,
            };
            var payload = MailJson.Write(bounced);
            var change = row is null ? RowChange.Insert(key, payload) : RowChange.Replace(key, payload, row.ETag);
            var result = await store.Commit(MailTable.Name, MailTable.Suppressions, [change], cancel).ConfigureAwait(false);
            if (result.Outcome == CommitOutcome.Committed)
            {
                return;
            }

            GiveUpAfter(tries, MailTable.Suppressions, result);
        }
    }

    /// <summary>Forgets the address's bounces. False when mail went to it all the same.</summary>
    public async Task<bool> Lift(string address, CancellationToken cancel)
    {
        if (await Bounces(address, cancel).ConfigureAwait(false) is not { } known)
        {
            return false;
        }

        await Write(MailTable.Suppressions, RowChange.Delete(Mail.Suppression.Key(address)), cancel).ConfigureAwait(false);
        return Holds(known);
    }

    /// <summary>Addresses that get no mail now.</summary>
    /// <param name="after">A key of the page before.</param>
    public async Task<ImmutableArray<(string Key, Suppression Suppression)>> Suppressions(string? after, int take, CancellationToken cancel)
    {
        var found = ImmutableArray.CreateBuilder<(string Key, Suppression Suppression)>();
        while (true)
        {
            var range = after is null ? KeyRange.All : KeyRange.All.After(after);
            var rows = await store.Scan(MailTable.Name, MailTable.Suppressions, range, take, cancel).ConfigureAwait(false);
            found.AddRange(
                rows.Select(row => (row.Key, Suppression: MailJson.Read<Suppression>(row.Payload)))
                    .Where(row => Holds(row.Suppression))
                    .Take(take - found.Count)
            );
            if (rows.Count < take || found.Count == take)
            {
                return found.ToImmutable();
            }

            after = rows[^1].Key;
        }
    }

    /// <summary>Made once, by whoever needs it first.</summary>
    public async ValueTask<byte[]> UnsubscribeKey(CancellationToken cancel)
    {
        for (var tries = 0; _unsubscribeKey is null; tries++)
        {
            if (await store.Get(MailTable.Name, MailTable.Unsubscribe, MailTable.UnsubscribeKey, cancel).ConfigureAwait(false) is { } row)
            {
                _unsubscribeKey = MailJson.Read<UnsubscribeKeyRow>(row.Payload).Key;
                break;
            }

            // Whether ours or another's came to be, the next reading tells.
            var made = MailJson.Write(new UnsubscribeKeyRow(RandomNumberGenerator.GetBytes(32), clock.GetUtcNow()));
            var result = await store
                .Commit(MailTable.Name, MailTable.Unsubscribe, [RowChange.Insert(MailTable.UnsubscribeKey, made)], cancel)
                .ConfigureAwait(false);
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
            var kept = row is null ? null : MailJson.Read<PreferencesRow>(row.Payload);
            var types = (kept is null ? CustomerPreferences.Everything : Of(kept)).With(channel).Types;
            var payload = MailJson.Write(new PreferencesRow(kept?.Customer, types, clock.GetUtcNow()));
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
        for (
            var tries = 0;
            await store.Commit(MailTable.Name, partition, [change], cancel).ConfigureAwait(false)
                is { Outcome: not CommitOutcome.Committed } result;
            tries++
        )
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
