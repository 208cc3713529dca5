using System.Threading.Channels;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Watch;

/// <summary>
/// One partition's recent changes in this process, read from the feed once however many watch. What is announced is taken as it comes;
/// where a revision is missing, and
/// every <see cref="Look"/>, the feed is read from the last one on: an announcement that was lost costs that time, and never a change.
/// </summary>
/// <remarks>
/// Runs while somebody watches, and <see cref="Linger"/> after the last one left. Whoever is slower than <see cref="RecentChanges"/> reads
/// the feed himself.
/// </remarks>
public sealed class PartitionHub(
    int partition,
    IOrderChanges feed,
    TimeProvider clock,
    Action moved,
    Action<int, Exception> failed,
    CancellationToken stopping
)
{
    /// <summary>Between two looks at the feed.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    /// <summary>After this without a watcher it stops and forgets.</summary>
    public static readonly TimeSpan Linger = TimeSpan.FromSeconds(30);

    /// <summary>Between two requests for announcements; they are told for longer.</summary>
    public static readonly TimeSpan ListenEvery = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );
    private RecentChanges? _recent;
    private bool _isRunning;
    private int _watchers;
    private long _leftAt;
    private long _listenedAt;

    /// <summary>The last revision that it knows of; null before it was told of any.</summary>
    public long? Last
    {
        get
        {
            lock (_gate)
            {
                return _recent?.Last;
            }
        }
    }

    /// <summary>What there is from a revision on.</summary>
    public HubView From(long revision)
    {
        lock (_gate)
        {
            return _recent is null || revision > _recent.Last ? HubView.Nothing
                : revision < _recent.First ? HubView.Behind
                : HubView.Here;
        }
    }

    /// <summary>Adds what is here from a revision on, at most <paramref name="take"/>.</summary>
    public void Take(long revision, int take, List<WatchedChange> into)
    {
        lock (_gate)
        {
            if (_recent is null || revision < _recent.First)
            {
                return;
            }

            for (; revision <= _recent.Last && take > 0; revision++, take--)
            {
                into.Add(_recent[revision]);
            }
        }
    }

    /// <summary>It runs from now on, until <see cref="Leave"/>.</summary>
    public void Join()
    {
        lock (_gate)
        {
            _watchers++;
            if (_isRunning || stopping.IsCancellationRequested)
            {
                return;
            }

            _isRunning = true;
            // Not on the scheduler of whoever came first: that may be a grain's, and goes with it.
            Unawaited.Observe(Task.Run(Run, CancellationToken.None), reason => failed(partition, reason));
        }
    }

    public void Leave()
    {
        lock (_gate)
        {
            _watchers--;
            _leftAt = clock.GetTimestamp();
        }
    }

    /// <summary>Takes what was announced. It may be late, twice, or after others that were lost.</summary>
    public void Hear(OrdersChanged changed)
    {
        bool isNew,
            isMissing;
        lock (_gate)
        {
            if (_recent is null || changed.Last <= _recent.Last)
            {
                return;
            }

            isNew = Add(changed.Changes);
            isMissing = _recent.Last < changed.Last;
        }

        if (isNew)
        {
            moved();
        }

        if (isMissing)
        {
            _wake.Writer.TryWrite(true);
        }
    }

    private async Task Run()
    {
        using var timer = clock.CreateTimer(_ => _wake.Writer.TryWrite(true), null, Look, Look);
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (IsOver())
                {
                    return;
                }

                await LookAtFeed();
                await _wake.Reader.ReadAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception reason)
            {
                // The feed is on its way to another silo, or the cluster is away: the next look tries again.
                failed(partition, reason);
                _wake.Reader.TryRead(out _);
                await Task.Delay(Look, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private bool IsOver()
    {
        lock (_gate)
        {
            if (_watchers > 0 || clock.GetElapsedTime(_leftAt) < Linger)
            {
                return false;
            }

            (_isRunning, _recent) = (false, null);
            return true;
        }
    }

    private async Task LookAtFeed()
    {
        if (Last is not { } last)
        {
            await Listen();
            var head = await feed.Head(partition, stopping);
            lock (_gate)
            {
                _recent = new(head.Head);
            }

            moved();
            return;
        }

        var found = false;
        for (var more = true; more; )
        {
            var read = await feed.Read(partition, last + 1, IOrderFeedGrain.MaxTake, stopping);
            bool isNew;
            lock (_gate)
            {
                if (read.IsCompacted)
                {
                    // It looked too late: those who watch learn it where they read the feed themselves.
                    _recent = new(read.Next - 1);
                    isNew = true;
                }
                else
                {
                    isNew = Add(read.Changes);
                }

                last = _recent!.Last;
            }

            found |= isNew;
            more = read.Changes.Length > 0 && last < read.Head;
            if (isNew)
            {
                moved();
            }
        }

        // What had to be looked for was not announced to us, so we ask for that again.
        if (found || clock.GetElapsedTime(_listenedAt) >= ListenEvery)
        {
            await Listen();
        }
    }

    private async Task Listen()
    {
        await feed.Listen(partition, Hear, stopping);
        _listenedAt = clock.GetTimestamp();
    }

    private bool Add(IEnumerable<OrderChange> changes)
    {
        var isNew = false;
        foreach (var change in changes)
        {
            isNew |= _recent!.Add(change);
        }

        return isNew;
    }
}

/// <summary>How a hub stands to a revision that somebody has yet to see.</summary>
public enum HubView
{
    /// <summary>It has none from there on, yet.</summary>
    Nothing,

    /// <summary>It has it.</summary>
    Here,

    /// <summary>It has later ones only: read the feed.</summary>
    Behind,
}
