using System.Collections.Immutable;
using Grains.Interfaces.Books;

namespace Silo.Page.Snapshots;

/// <summary>One account as the view of the books shows it.</summary>
/// <param name="InPerSecond">Over the last ten seconds; null before there are two samples.</param>
/// <param name="DonePerSecond">The same.</param>
/// <param name="Trend">What came in per second over the last hour, the oldest first.</param>
public sealed record AccountLine(Account Account, double? InPerSecond, double? DonePerSecond, ImmutableArray<TrendPoint> Trend);

/// <param name="Age">Seconds before now.</param>
/// <param name="PerSecond">Null where nobody looked, and so nothing is known.</param>
public readonly record struct TrendPoint(double Age, double? PerSecond);

/// <summary>
/// Samples of the books, told the time: rates over ten seconds, and a trend of the last hour in steps of ten seconds. Nothing is sampled
/// while nobody looks, so the trend may have gaps.
/// Not thread-safe.
/// </summary>
public sealed class BooksHistory
{
    public static readonly TimeSpan Length = TimeSpan.FromHours(1);

    public static readonly TimeSpan Step = TimeSpan.FromSeconds(10);

    /// <summary>More accounts than there are systems; what is beyond has no trend.</summary>
    private const int MaxAccounts = 100;

    private readonly Dictionary<(string System, string Name), Series> _series = [];

    public ImmutableArray<AccountLine> Add(DateTimeOffset at, IEnumerable<Account> accounts) =>
        [
            .. accounts.Select(account =>
            {
                if (!_series.TryGetValue((account.System, account.Name), out var series))
                {
                    series = new();
                    if (_series.Count < MaxAccounts)
                    {
                        _series[(account.System, account.Name)] = series;
                    }
                }

                return series.Add(at, account);
            }),
        ];

    private sealed class Series
    {
        private readonly Queue<(DateTimeOffset At, long In, long Done)> _recent = [];
        private readonly Queue<(DateTimeOffset At, long In)> _steps = [];
        private DateTimeOffset _lastStep = DateTimeOffset.MinValue;

        public AccountLine Add(DateTimeOffset at, Account account)
        {
            while (_recent.TryPeek(out var old) && (at - old.At > Step || _recent.Count >= 32))
            {
                _recent.Dequeue();
            }

            _recent.Enqueue((at, account.In, account.Done));
            while (_steps.TryPeek(out var old) && at - old.At > Length)
            {
                _steps.Dequeue();
            }

            if (at - _lastStep >= Step)
            {
                _lastStep = at;
                _steps.Enqueue((at, account.In));
            }

            var first = _recent.Peek();
            var seconds = (at - first.At).TotalSeconds;
            return new(
                account,
                seconds > 0 ? Math.Max(0, account.In - first.In) / seconds : null,
                seconds > 0 ? Math.Max(0, account.Done - first.Done) / seconds : null,
                Trend(at)
            );
        }

        private ImmutableArray<TrendPoint> Trend(DateTimeOffset now)
        {
            var points = ImmutableArray.CreateBuilder<TrendPoint>(_steps.Count);
            (DateTimeOffset At, long In)? before = null;
            foreach (var step in _steps)
            {
                if (before is { } from)
                {
                    var seconds = (step.At - from.At).TotalSeconds;
                    points.Add(
                        new((now - step.At).TotalSeconds, seconds > 3 * Step.TotalSeconds ? null : Math.Max(0, step.In - from.In) / seconds)
                    );
                }

                before = step;
            }

            return points.ToImmutable();
        }
    }
}
