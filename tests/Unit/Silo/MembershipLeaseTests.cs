using Doubles;
using Grains.Crawling.Workers;
using Microsoft.Extensions.Logging.Abstractions;
using Silo.Cluster;
using Xunit;

namespace Unit.Silo;

public sealed class MembershipLeaseTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly TestClock _clock = new();
    private readonly MembershipLease _lease;
    private Func<bool> _answer = static () => true;
    private int _reads;

    public MembershipLeaseTests() =>
        _lease = new(
            _ =>
            {
                Interlocked.Increment(ref _reads);
                return Task.FromResult(_answer());
            },
            _clock,
            NullLogger<MembershipLease>.Instance
        );

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WorkOfAMemberRunsToItsEndAndOneReadServesAll()
    {
        var done = await Task.WhenAll(Enumerable.Range(1, 3).Select(n => _lease.Hold(_ => Task.FromResult(n), Cancel)));
        Assert.Equal([1, 2, 3], done);
        Assert.Equal(1, _reads);
    }

    [Fact]
    public async Task WorkIsCancelledWhenNoReadHasSucceededForAsLongAsAProofIsGood()
    {
        var (work, token) = await Held();
        _answer = static () => throw new IOException("The store does not answer.");

        await Passes(IMembershipLease.Duration - Tick, MembershipLease.RenewalPeriod, MembershipLease.RetryPause);
        Assert.False(token.IsCancellationRequested);

        _clock.Advance(Tick);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
    }

    [Fact]
    public async Task WorkGoesOnForAsLongAsReadsSucceed()
    {
        var (work, token) = await Held();

        await Passes(20 * IMembershipLease.Duration, MembershipLease.RenewalPeriod, MembershipLease.RenewalPeriod);

        Assert.False(token.IsCancellationRequested);
        Assert.False(work.IsCompleted);
    }

    [Fact]
    public async Task WorkOfASiloThatWasDeclaredDeadIsCancelledWithTheNextRead()
    {
        var (work, _) = await Held();
        _answer = static () => false;

        await _clock.Armed(MembershipLease.RenewalPeriod, Cancel);
        _clock.Advance(MembershipLease.RenewalPeriod);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
    }

    [Fact]
    public async Task NothingIsBegunByASiloThatIsNotAMember()
    {
        _answer = static () => false;
        var begun = false;

        var work = _lease.Hold(
            _ =>
            {
                begun = true;
                return Task.FromResult(0);
            },
            Cancel
        );
        await Passes(IMembershipLease.Duration - Tick, MembershipLease.RetryPause, MembershipLease.RetryPause);
        Assert.False(work.IsCompleted);
        _clock.Advance(Tick);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
        Assert.False(begun);
    }

    [Fact]
    public async Task NothingIsReadWhileNobodyHoldsTheLease()
    {
        await _lease.Hold(_ => Task.FromResult(0), Cancel);
        await _clock.Armed(MembershipLease.RenewalPeriod, Cancel);
        _clock.Advance(MembershipLease.RenewalPeriod);
        await _clock.TimersLeft(1); // That of the lease itself; the one for the next read is gone.
        _clock.Advance(IMembershipLease.Duration);
        Assert.Equal(1, _reads);

        Assert.Equal(7, await _lease.Hold(_ => Task.FromResult(7), Cancel));
        Assert.Equal(2, _reads);
    }

    /// <summary>Work that ends only when it is cancelled; it has begun.</summary>
    private async Task<(Task Work, CancellationToken Token)> Held()
    {
        var begun = new TaskCompletionSource<CancellationToken>(TaskCreationOptions.RunContinuationsAsynchronously);
        var work = _lease.Hold(
            async token =>
            {
                begun.SetResult(token);
                await new Gate().Pass(token);
                return 0;
            },
            Cancel
        );
        return (work, await begun.Task.WaitAsync(Cancel));
    }

    /// <summary>Time passes from one read to the next: the first comes after one pause, each further one after another.</summary>
    private async Task Passes(TimeSpan time, TimeSpan first, TimeSpan further)
    {
        var end = _clock.GetUtcNow() + time;
        var pause = first;
        await _clock.Armed(pause, Cancel);
        while (_clock.GetUtcNow() + pause <= end)
        {
            _clock.Advance(pause);
            pause = further;
            await _clock.Armed(pause, Cancel);
        }

        _clock.Advance(end - _clock.GetUtcNow());
    }
}
