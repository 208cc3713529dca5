using System.Collections.Immutable;
using Grains.Interfaces.Books;

namespace Silo.Books;

/// <summary>
/// How fast work comes in and is done, from the readings of the books that this process has answered with: over the last
/// <see cref="Window"/>, or since the reading before where nobody has asked for longer. Told the time. Thread-safe.
/// </summary>
public sealed class LedgerRates
{
    /// <summary>What a rate is over, where somebody asks often.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>Readings that are closer to each other say nothing of a rate, and one of them is kept.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();

    /// <summary>One a second of the window, and one from before it.</summary>
    private readonly Queue<(DateTimeOffset At, ImmutableArray<Account> Accounts)> _readings = [];

    private DateTimeOffset _last = DateTimeOffset.MinValue;

    /// <summary>The books with their rates; without any before there is another reading that is <see cref="Least"/> old.</summary>
    public LedgerForm Add(DateTimeOffset at, ImmutableArray<Account> accounts)
    {
        lock (_gate)
        {
            while (_readings.Count > 1 && at - _readings.Peek().At > Window)
            {
                _readings.Dequeue();
            }

            var over = _readings.TryPeek(out var before) ? at - before.At : TimeSpan.Zero;
            if (at - _last >= Least)
            {
                _readings.Enqueue((at, accounts));
                _last = at;
            }

            return over >= Least
                ? new([.. accounts.Select(account => Of(account, before.Accounts, over))], over.TotalSeconds)
                : new([.. accounts.Select(AccountForm.Of)]);
        }
    }

    private static AccountForm Of(Account account, ImmutableArray<Account> before, TimeSpan over)
    {
        var form = AccountForm.Of(account);
        return before.FirstOrDefault(one => one.System == account.System && one.Name == account.Name) is { } past
            ? form with
            {
                InPerSecond = Math.Max(0, account.In - past.In) / over.TotalSeconds,
                DonePerSecond = Math.Max(0, account.Done - past.Done) / over.TotalSeconds,
            }
            : form;
    }
}
