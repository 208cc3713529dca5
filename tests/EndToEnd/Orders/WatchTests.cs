using Doubles.Orders;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>
/// Watches over server-sent events, gRPC and the console while orders are placed and moved on, and their silo is killed with <c>kill
/// -9</c>, stands still (<c>SIGSTOP</c>), a console stands still, and
/// connections are cut. The ledger is whoever asks: each step is asked again under its key until it is acknowledged.
/// <see cref="WatchHistory"/> compares.
/// A longer campaign: set <c>WATCH_ROUNDS</c> to how many faults there are (3 without it, at most 500).
/// </summary>
[Trait(Campaign.Kind, Campaign.Name)]
public sealed class WatchTests(WatchCampaign campaign) : IClassFixture<WatchCampaign>
{
    [Fact]
    public void AnOrdersChangesCameByVersion() => Holds(WatchGuarantee.OrderedByOrder);

    [Fact]
    public void APartitionsChangesCameByRevision() => Holds(WatchGuarantee.OrderedByPartition);

    [Fact]
    public void NoChangeCameTwice() => Holds(WatchGuarantee.Unique);

    [Fact]
    public void StateAndChangeCameInOnePieceAsTheyWereCommitted() => Holds(WatchGuarantee.Atomic);

    [Fact]
    public void NoChangeWasLeftOut() => Holds(WatchGuarantee.Reliable);

    [Fact]
    public void AWatchThatWasBrokenOffWentOnWhereItWas() => Holds(WatchGuarantee.Resumable);

    [Fact]
    public void AllBelowANoticeWasSentBeforeIt() => Holds(WatchGuarantee.Bookmarkable);

    [Fact]
    public void ThePreviousOrderCameWhereItWasAskedFor() => Holds(WatchGuarantee.Previous);

    [Fact]
    public void NothingWasTakenForCompacted() => Holds(WatchGuarantee.Compacted);

    [Fact]
    public void TheFaultsHitTheWatches()
    {
        Assert.Equal((campaign.Rounds + 3) / 4, campaign.Kills);
        Assert.True(campaign.Cuts > 0, "No connection was cut.");
        Assert.All(campaign.Streams, record =>
            Assert.True(record.Entries.Count(entry => entry is WatchRecord.Opening) > 1, $"{record.Name} was never broken off.")
        );
        Assert.All(campaign.Records, record => Assert.True(record.Changes > 0, $"{record.Name} was told nothing."));
    }

    private void Holds(WatchGuarantee guarantee) => Assert.Null(campaign.History.FirstViolation(guarantee)?.ToString());
}
