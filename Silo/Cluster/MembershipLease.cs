using Grains;
using Grains.Crawling.Workers;

namespace Silo.Cluster;

/// <summary>
/// Reads this silo's own row of the membership table about every second while somebody holds the lease, and never otherwise: a silo with
/// nothing to fetch reads nothing. One read serves all who hold it.
/// </summary>
/// <param name="isMember">Whether the table has this silo, and not as dead. What cannot be read is an exception, no proof.</param>
/// <param name="guards">The lease is a guard of work in flight.</param>
internal sealed partial class MembershipLease(
    Func<CancellationToken, Task<bool>> isMember,
    TimeProvider guards,
    ILogger<MembershipLease> logger
) : IMembershipLease
{
    /// <summary>Between two reads.</summary>
    public static readonly TimeSpan RenewalPeriod = TimeSpan.FromSeconds(1);

    /// <summary>After a read that failed.</summary>
    public static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private TaskCompletionSource<Lease> _next = NewSource();
    private Lease _lease = Lease.None;
    private int _holders;
    private bool _isRenewing;

    public async Task<T> Hold<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancel)
    {
        var current = Enter();
        try
        {
            var lease = await current.WaitAsync(IMembershipLease.Duration, guards, cancel);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(lease.Token, cancel);
            either.Token.ThrowIfCancellationRequested();
            return await work(either.Token);
        }
        catch (TimeoutException unknown) when (!current.IsCompleted)
        {
            throw new OperationCanceledException("Whether this silo is a member of its cluster could not be read in time.", unknown);
        }
        finally
        {
            lock (_lock)
            {
                _holders--;
            }
        }
    }

    /// <summary>The lease if it is good, or the next one. From now on it is renewed.</summary>
    private Task<Lease> Enter()
    {
        lock (_lock)
        {
            _holders++;
            if (!_isRenewing)
            {
                _isRenewing = true;
                logger.Observe(Task.Run(Renew)); // On nobody's scheduler: whoever asked first may be gone while others hold it.
            }

            return _lease.IsGood ? Task.FromResult(_lease) : _next.Task;
        }
    }

    /// <summary>Until nobody holds the lease. It fails in no way: what a read throws is logged and tried again.</summary>
    private async Task Renew()
    {
        while (IsHeld())
        {
            var pause = await Read() ? RenewalPeriod : RetryPause;
            await Task.Delay(pause, guards);
        }
    }

    private bool IsHeld()
    {
        lock (_lock)
        {
            return _isRenewing = _holders > 0;
        }
    }

    private async Task<bool> Read()
    {
        // Good from when the read began: the table may have changed while it was read.
        var began = guards.GetTimestamp();
        try
        {
            using var bound = new CancellationTokenSource(IMembershipLease.Duration, guards);
            if (await isMember(bound.Token).WaitAsync(bound.Token))
            {
                Extend(IMembershipLease.Duration - guards.GetElapsedTime(began));
                return true;
            }

            LogNotAMember();
            End();
        }
        catch (Exception unread)
        {
            LogUnread(unread);
        }

        return false;
    }

    private void Extend(TimeSpan left)
    {
        if (left <= TimeSpan.Zero)
        {
            return;
        }

        TaskCompletionSource<Lease> waiting;
        Lease lease;
        lock (_lock)
        {
            if (!_lease.TryExtend(left))
            {
                _lease = new(left, guards);
            }

            (lease, waiting, _next) = (_lease, _next, NewSource());
        }

        waiting.SetResult(lease);
    }

    private void End()
    {
        lock (_lock)
        {
            _lease.End();
        }
    }

    private static TaskCompletionSource<Lease> NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>From the first read that found the silo a member to when it was last known to be one.</summary>
    private sealed class Lease
    {
        private readonly CancellationTokenSource _end;

        public Lease(TimeSpan left, TimeProvider guards)
            : this(new CancellationTokenSource(left, guards)) { }

        private Lease(CancellationTokenSource end) => (_end, Token) = (end, end.Token);

        /// <summary>One that is over.</summary>
        public static Lease None { get; } = new(Ended());

        public CancellationToken Token { get; }

        public bool IsGood => !Token.IsCancellationRequested;

        /// <summary>False when it is over: an expired lease does not come back.</summary>
        public bool TryExtend(TimeSpan left)
        {
            if (IsGood)
            {
                _end.CancelAfter(left);
            }

            return IsGood;
        }

        public void End() => _end.Cancel();

        private static CancellationTokenSource Ended()
        {
            var ended = new CancellationTokenSource();
            ended.Cancel();
            return ended;
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "This silo is not a member of its cluster, or was declared dead: it sends no request to the web"
    )]
    private partial void LogNotAMember();

    [LoggerMessage(Level = LogLevel.Debug, Message = "Whether this silo is a member could not be read; it is read again")]
    private partial void LogUnread(Exception exception);
}
