using System.Collections.Immutable;
using Grains.Interfaces.Books;

namespace Silo.Page.Snapshots;

/// <summary>One account as the view of the books shows it.</summary>
/// <param name="InPerSecond">Over the last ten seconds; null before there are two samples.</param>
/// <param name="DonePerSecond">The same.</param>
/// <param name="Trend">What came in per second over the last hour, minute by minute, the oldest first.</param>
public sealed record AccountLine(Account Account, double? InPerSecond, double? DonePerSecond, ImmutableArray<TrendPoint> Trend);

/// <param name="Age">Seconds before now.</param>
/// <param name="PerSecond">Null where the books could not be read, and so nothing is known.</param>
public readonly record struct TrendPoint(double Age, double? PerSecond);

/// <summary>
/// Samples of the books, told the time: rates over ten seconds, and a trend of the last hour, minute by minute. Of an account 62 samples of
/// the trend and 32 of the rates are kept, of <see cref="MaxAccounts"/> accounts: 250 KB at most. Not thread-safe.
/// </summary>
public sealed class BooksHistory
{
    public static readonly TimeSpan Length = TimeSpan.FromHours(1);

    /// <summary>Between two samples of the trend.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromMinutes(1);

    /// <summary>More accounts than there are systems; what is beyond has no trend.</summary>
    public const int MaxAccounts = 100;

    private static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(10);

    /// <summary>A timer that is early by a little makes no step wait for the next one.</summary>
    private static readonly TimeSpan LeastStep = Step * 0.9;

    /// <summary>With more between two samples, nothing is known of the time between them.</summary>
    private static readonly TimeSpan Gap = 3 * Step;

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
        private DateTimeOffset? _lastStep;

        public AccountLine Add(DateTimeOffset at, Account account)
        {
            while (_recent.TryPeek(out var old) && (at - old.At > RateWindow || _recent.Count >= 32))
            {
                _recent.Dequeue();
            }

            _recent.Enqueue((at, account.In, account.Done));
            while (_steps.TryPeek(out var old) && at - old.At > Length)
            {
                _steps.Dequeue();
            }

            if (_lastStep is not { } last || at - last >= LeastStep)
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
                Trend(at, account.In)
            );
        }

        /// <summary>Each step against the one before, and last what has come since the last one.</summary>
        private ImmutableArray<TrendPoint> Trend(DateTimeOffset now, long countNow)
        {
            var points = ImmutableArray.CreateBuilder<TrendPoint>(_steps.Count);
            (DateTimeOffset At, long In)? before = null;
            foreach (var step in _steps.Append((At: now, In: countNow)))
            {
                if (before is { } from && step.At > from.At)
                {
                    var passed = step.At - from.At;
                    var rate = Math.Max(0, step.In - from.In) / passed.TotalSeconds;
                    points.Add(new((now - step.At).TotalSeconds, passed > Gap ? null : rate));
                }

                before = step;
            }

            return points.ToImmutable();
        }
    }
}
