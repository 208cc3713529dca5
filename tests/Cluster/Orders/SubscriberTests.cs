using System.Text;
using Doubles;
using Doubles.Storage;
using Grains.Interfaces.Orders;
using Grains.Orders;
using Grains.Orders.Audit;
using Grains.Orders.Consumers;
using Grains.Orders.Rows;
using Grains.Storage;
using Xunit;

namespace Cluster.Orders;

public sealed class SubscriberTests(SubscriberCluster cluster) : IClassFixture<SubscriberCluster>
{
    [Fact]
    public async Task EveryChangeIsHandledOnceAndItsRowIsThere()
    {
        var order = await cluster.Placed();
        await cluster.Take(order.Id, OrderStep.Pay);
        await Through("counter", order.Id.Partition);

        Assert.Equal([$"seen.{order.Id}.1", $"seen.{order.Id}.2"], await Seen(order.Id));
    }

    [Fact]
    public async Task WhatWasNotHeardOfIsReadFromTheFeed()
    {
        // Its owner ends, and what is announced meanwhile finds a new one, which reads from its cursor.
        var order = await cluster.Placed();
        await Through("counter", order.Id.Partition);
        await cluster.Deactivate(cluster.Subscriber("counter", order.Id.Partition));
        await cluster.Deactivate(cluster.Grains.GetGrain<IOrderListenerGrain>(order.Id.Partition));
        await cluster.Take(order.Id, OrderStep.Pay);
        await cluster.Subscriber("counter", order.Id.Partition).Wake();
        await Through("counter", order.Id.Partition);

        Assert.Equal([$"seen.{order.Id}.1", $"seen.{order.Id}.2"], await Seen(order.Id));
    }

    [Fact]
    public async Task AGapIsReadFromTheFeed()
    {
        var order = await cluster.Placed();
        await cluster.Take(order.Id, OrderStep.Pay);
        var head = await cluster.Feed(order.Id.Partition).Head();
        await cluster.Subscriber("counter", order.Id.Partition).Tell(new(order.Id.Partition, head.Head + 1, head.Head, []));
        await Through("counter", order.Id.Partition);

        Assert.Equal(2, (await Seen(order.Id)).Length);
    }

    [Fact]
    public async Task ACommitWhoseAnswerIsLostIsNeitherLostNorCountedTwice()
    {
        var order = await cluster.Placed();
        await Through("counter", order.Id.Partition);
        var before = await cluster.Subscriber("counter", order.Id.Partition).Show();
        // The feed's or a subscriber's: whose owners end, and whose successors know what was stored.
        cluster.Store.FailNextCommits(3, CommitFailure.UnknownApplied);
        for (OrderReply? reply = null; reply?.Refusal != OrderRefusal.None; )
        {
            try
            {
                reply = await cluster.Take(order.Id, OrderStep.Pay, IdempotencyKey.Of("test", "lost-answer"));
            }
            catch (Exception e) when (e is PartitionLostException or OrleansException)
            {
                // Asked again under the same key.
            }
        }

        await cluster.Subscribers.Wake();
        var after = await Through("counter", order.Id.Partition);
        Assert.Equal(2, (await Seen(order.Id)).Length);
        Assert.Equal(after.In, after.Done);
        Assert.Equal(before.In + 1, after.In);
    }

    [Theory]
    [InlineData(true, "its cursor 1000000 is beyond the feed's head ")]
    [InlineData(false, "its cursor is of another feed: table orders was lost or exchanged; ")]
    public async Task ASubscriberWhoseCursorIsNotOfTheFeedIsHaltedAndItsBooksAreInDoubt(bool isBeyond, string why)
    {
        var order = await cluster.Placed();
        var key = new SubscriberKey("counter", order.Id.Partition);
        await Through("counter", order.Id.Partition);
        await cluster.Deactivate(cluster.Subscriber("counter", order.Id.Partition));
        var row = await cluster.Store.Get(SubscriberTable.Name, SubscriberTable.Partition(key), PartitionWriter.HeadKey);
        var head = OrderJson.Read<SubscriberHeadRow>(row!.Payload);
        var lost = isBeyond ? head with { Cursor = 1_000_000 } : head with { FeedId = "another" };
        await cluster.Store.Commit(
            SubscriberTable.Name,
            SubscriberTable.Partition(key),
            [RowChange.Put(PartitionWriter.HeadKey, OrderJson.Write(lost))]
        );

        var state = await cluster.Subscriber("counter", order.Id.Partition).Show();
        await cluster.Take(order.Id, OrderStep.Pay);
        await cluster.Subscribers.Wake();

        Assert.True(state.IsStopped);
        Assert.StartsWith(why, state.Halt, StringComparison.Ordinal);
        Assert.Equal([$"seen.{order.Id}.1"], await Seen(order.Id));
        var account = (
            await new SubscriberAccounts(
                cluster.Grains,
                new([new(new() { Name = "counter" }, _ => throw new NotSupportedException())], [])
            ).Read(TestContext.Current.CancellationToken)
        ).Single(account => account.Name == "changes for counter");
        Assert.Equal((false, $"counter is halted in 1 partitions: {state.Halt}"), (account.Balances, account.Doubt));

        // The tables are restored from one copy: it goes on from where it was.
        await cluster.Deactivate(cluster.Subscriber("counter", order.Id.Partition));
        await cluster.Store.Commit(
            SubscriberTable.Name,
            SubscriberTable.Partition(key),
            [RowChange.Put(PartitionWriter.HeadKey, OrderJson.Write(head))]
        );
        await cluster.Subscriber("counter", order.Id.Partition).Wake();
        await Through("counter", order.Id.Partition);
        Assert.Equal([$"seen.{order.Id}.1", $"seen.{order.Id}.2"], await Seen(order.Id));
    }

    [Fact]
    public async Task OneThatAlwaysThrowsEndsAmongTheDeadLettersAndOthersGoOn()
    {
        var order = await cluster.Placed(OrderCluster.Asked("throws-1"));
        await Through("obedient", order.Id.Partition);
        var letter = await Dead(order.Id);

        Assert.Equal(("obedient", "InvalidOperationException", "It always throws."), (letter.Subscriber, letter.Reason, letter.Detail));
        Assert.Equal(3, letter.History.Length);
        Assert.Equal([1, 2, 3], cluster.Given.Where(given => given.Order == order.Id).Select(given => given.Attempt));
        await Through("counter", order.Id.Partition);
        Assert.Single(await Seen(order.Id));
    }

    [Fact]
    public async Task AnOrdersLaterChangesWaitForTheDeadOneAndComeAfterIt()
    {
        var order = await cluster.Placed(OrderCluster.Asked("throws-2"));
        await cluster.Take(order.Id, OrderStep.Pay);
        await cluster.Clock.PassUntil("both changes among the dead letters", async () => (await Letters(order.Id)).Length == 2);
        Assert.Equal([1, 1, 1, 2, 2, 2], cluster.Given.Where(given => given.Order == order.Id).Select(given => given.Version));
    }

    [Fact]
    public async Task OneThatTakesFiveSecondsHoldsNobodyUp()
    {
        var slow = await cluster.Placed(OrderCluster.Asked("slow"));
        var partition = slow.Id.Partition;
        Order quick;
        do
        {
            quick = await cluster.Placed();
        } while (quick.Id.Partition != partition);

        await VirtualClock.StandUntil("both to be begun", () =>
            new[] { slow, quick }.All(order => cluster.Given.Any(given => given.Order == order.Id))
        );
        await Through("obedient", partition, latest: cluster.Clock.GetUtcNow() + TimeSpan.FromSeconds(4));

        // No five seconds have passed, so the slow one is at it still.
        Assert.Equal(1, (await cluster.Subscriber("obedient", partition).Show()).Waiting);
        await cluster.Clock.PassUntil("the slow one to be through", async () =>
            (await cluster.Subscriber("obedient", partition).Show()).Waiting == 0
        );
        Assert.Single(cluster.Given, given => given.Order == slow.Id);
    }

    [Fact]
    public async Task AReplayIsHandledAgainAndRecordedInTheAudit()
    {
        var order = await cluster.Placed(OrderCluster.Asked("fails-1"));
        var id = DeadLetterId.Of(await Dead(order.Id));
        cluster.Mended["fails-1"] = true;

        Assert.Equal(new(1, 0), await cluster.Subscribers.Replay(new(id), "ann"));
        Assert.Equal(0, (await cluster.Subscribers.Replay(new(id), "ann")).Count);
        await cluster.Clock.PassUntil("the replay to be handled", async () =>
            (await cluster.Subscriber("obedient", order.Id.Partition).Show()).Waiting == 0
        );
        Assert.Empty(await Letters(order.Id));
        Assert.Equal(2, cluster.Given.Count(given => given.Order == order.Id));
        AuditEntry? replayed = null;
        await cluster.Clock.PassUntil("the replay in the audit", async () =>
            (replayed = (await Entries(order.Id)).FirstOrDefault(entry => entry.Kind == AuditEntryKind.Replay)) is not null
        );
        Assert.Equal(("obedient.replayed", "by ann; no address"), (replayed!.Type, Encoding.UTF8.GetString(replayed.Payload.Span)));
    }

    [Fact]
    public async Task DeadLettersAreDiscardedByReasonAndTheBooksSaySo()
    {
        var order = await cluster.Placed(OrderCluster.Asked("fails-2"));
        await Dead(order.Id);
        Assert.Equal(0, (await cluster.Subscribers.Discard(new(Reason: "another"), "ann")).Count);
        Assert.True((await cluster.Subscribers.Discard(new(Subscriber: "obedient", Reason: "no address"), "ann")).Count >= 1);

        Assert.Empty(await Letters(order.Id));
        var state = await cluster.Subscriber("obedient", order.Id.Partition).Show();
        Assert.True(state.Discarded >= 1);
        Assert.Equal(state.In, state.Done + state.Waiting + state.Dead.Values.Sum() + state.Discarded);
    }

    [Fact]
    public async Task DeadLettersComeInPages()
    {
        for (var i = 0; i < 5; i++)
        {
            await Dead((await cluster.Placed(OrderCluster.Asked("fails-3"))).Id);
        }

        var all = (await cluster.Subscribers.DeadLetters(new("obedient", null, 200, null)))
            .Letters.Select(letter => DeadLetterId.Of(letter))
            .ToList();
        var paged = new List<DeadLetterId>();
        for (DeadLetterId? after = null; ; )
        {
            var page = await cluster.Subscribers.DeadLetters(new("obedient", null, 2, after));
            paged.AddRange(page.Letters.Select(letter => DeadLetterId.Of(letter)));
            if ((after = page.After) is null)
            {
                break;
            }
        }

        Assert.Equal(all, paged);
    }

    [Fact]
    public async Task WhatASubscriberHasYetToReadIsNotCompacted()
    {
        var order = await cluster.Placed();
        var state = await Through("counter", order.Id.Partition);
        await cluster.Clock.PassUntil("cursors that are told to the feed", async () =>
            (await cluster.Feed(order.Id.Partition).Subscribers()).All(listed => listed.Cursor <= state.Cursor)
        );
        Assert.Equal(
            ["audit", "counter", "obedient"],
            (await cluster.Feed(order.Id.Partition).Subscribers()).Select(listed => listed.Name)
        );
    }

    [Fact]
    public async Task ASubscriberOfThisProgramIsNotRemovedAndOneOfBeforeIs()
    {
        Assert.StartsWith("\"counter\" belongs to this program", await cluster.Subscribers.Remove("counter"), StringComparison.Ordinal);
        await cluster.Feed(0).Register("gone", 1);
        await cluster.Store.Commit(
            SubscriberTable.Name,
            "gone.00",
            [RowChange.Put("h", "{}"u8.ToArray()), RowChange.Put("mine.1", ReadOnlyMemory<byte>.Empty)]
        );

        Assert.Null(await cluster.Subscribers.Remove("gone"));
        Assert.Empty(await cluster.Store.Scan(SubscriberTable.Name, "gone.00", KeyRange.All, 10));
        Assert.DoesNotContain(await cluster.Feed(0).Subscribers(), listed => listed.Name == "gone");
        Assert.Equal("There is no subscriber \"gone\".", await cluster.Subscribers.Remove("gone"));
    }

    [Fact]
    public async Task EveryChangeIsProvenAndOneThatIsTamperedWithIsNamed()
    {
        var order = await cluster.Placed();
        await cluster.Take(order.Id, OrderStep.Pay);
        await Through("audit", order.Id.Partition);
        var proof = AuditReceipt.FromJson((await cluster.Desk.Audit.Proof(order.Id))!);
        var key = AuditPublicKey.FromPem(await cluster.Desk.AuditHeads.PublicKey());

        Assert.Null(proof.Check([key]));
        Assert.Equal([1, 2], proof.Entries.Select(entry => AuditEntry.Decode(entry.Entry.Span).Version));
        Assert.All(proof.Entries, entry => Assert.Equal("ann", entry.Personal!.Part.Customer));
        Assert.True((await Verify()).Holds);

        var partition = SubscriberTable.Partition(new("audit", order.Id.Partition));
        var row = Assert.Single(
            await cluster.Store.Scan(SubscriberTable.Name, partition, AuditRows.EntriesFrom(proof.Entries[1].Proof.Index), 1)
        );
        var changed = row.Payload.ToArray();
        changed[^1] ^= 1;
        await cluster.Store.Commit(SubscriberTable.Name, partition, [RowChange.Put(row.Key, changed)]);
        var finding = Assert.Single((await Verify()).Findings);
        Assert.Equal(
            (AuditFault.Changed, AuditRows.LastIndex(row.Key), order.Id.Partition),
            (finding.Fault, finding.Index, finding.Partition)
        );
        await cluster.Store.Commit(SubscriberTable.Name, partition, [RowChange.Put(row.Key, row.Payload)]);
        Assert.True((await Verify()).Holds);
    }

    [Fact]
    public async Task TheHeadIsMadeAnewOnlyWhenSomethingWasRecorded()
    {
        var order = await cluster.Placed();
        await AuditHasAll();
        var head = await cluster.Desk.AuditHeads.Head();
        Assert.Equal(head, await cluster.Desk.AuditHeads.Head());
        await cluster.Take(order.Id, OrderStep.Pay);
        await Through("audit", order.Id.Partition);
        var next = await cluster.Desk.AuditHeads.Head();
        Assert.NotEqual(head, next);
        Assert.Equal([next, head], await cluster.Desk.AuditHeads.Heads(2));
    }

    [Fact]
    public async Task ASecondOwnerEndsTheFirst()
    {
        var order = await cluster.Placed();
        await Through("counter", order.Id.Partition);
        // As another activation would, when silos come and go: it opens the partition, and so replaces the head.
        var partition = SubscriberTable.Partition(new("counter", order.Id.Partition));
        var head = (await cluster.Store.Get(SubscriberTable.Name, partition, PartitionWriter.HeadKey))!;
        Assert.Equal(
            CommitOutcome.Committed,
            (await cluster.Store.Commit(SubscriberTable.Name, partition, [RowChange.Replace(head.Key, head.Payload, head.ETag)])).Outcome
        );
        await cluster.Take(order.Id, OrderStep.Pay);
        await cluster.Clock.PassUntil("the next owner to have handled both changes", async () =>
        {
            await cluster.Subscribers.Wake();
            return (await Seen(order.Id)).Length == 2;
        });
        var state = await Through("counter", order.Id.Partition);
        Assert.Equal(state.In, state.Done);
    }

    [Fact]
    public async Task WhatIsPersonalIsErasedEverywhereAndTheProofsHold()
    {
        const string Customer = "fails-Zoë Erased";
        var asked = OrderCluster.Asked(Customer) with { Email = "zoe@example.org", Notes = "Ring at Zoë's." };
        var order = await cluster.Placed(asked);
        await cluster.Take(order.Id, OrderStep.Pay);
        await cluster.Clock.PassUntil("both changes among the dead letters", async () => (await Letters(order.Id)).Length == 2);
        await Through("audit", order.Id.Partition);
        var before = SignedAuditHead.FromJson(await cluster.Desk.AuditHeads.Head());

        var erasing = cluster.Subscribers.Erase(Customer);
        Assert.Equal(new(1, 2, null), await cluster.Clock.PassUntil("the erasure", erasing));

        foreach (
            var (table, partitions) in new[]
            {
                (OrderTable.Name, new[] { OrderTable.Partition(order.Id.Partition) }),
                (
                    SubscriberTable.Name,
                    [.. new[] { "audit", "counter", "obedient" }.Select(name => SubscriberTable.Partition(new(name, order.Id.Partition)))]
                ),
            }
        )
        {
            foreach (var partition in partitions)
            {
                foreach (var row in await cluster.Store.Scan(table, partition, KeyRange.All, StoreLimits.MaxScan))
                {
                    var text = Encoding.UTF8.GetString(row.Payload.Span);
                    Assert.False(
                        text.Contains("Zoë", StringComparison.Ordinal) || text.Contains("zoe@", StringComparison.Ordinal),
                        $"{table}/{partition}/{row.Key} has it still."
                    );
                    Assert.DoesNotContain(StoreLimits.HashKey(Customer), row.Key, StringComparison.Ordinal);
                }
            }
        }

        Assert.Equal(2, (await Letters(order.Id)).Length);
        Assert.Equal(Erasure.Customer, (await cluster.Take(order.Id, OrderStep.Ship)).Order!.Customer);
        await Through("audit", order.Id.Partition);
        Assert.Contains(await Entries(order.Id), entry => entry.Kind == AuditEntryKind.Erase);
        var report = await Verify(before);
        Assert.True(report.Holds, string.Join(' ', report.Findings.Select(finding => finding.What)));
        Assert.True(report.Erased >= 2);
        Assert.Equal(new(0, 0, null), await cluster.Subscribers.Erase(Customer));
    }

    [Fact]
    public async Task ErasingTwiceAtOnceIsErasingOnce()
    {
        var order = await cluster.Placed(OrderCluster.Asked("Yves Twice"));
        await Through("audit", order.Id.Partition);
        var erasing = Task.WhenAll(cluster.Subscribers.Erase("Yves Twice"), cluster.Subscribers.Erase("Yves Twice"));
        await cluster.Clock.PassUntil("both erasures", erasing);

        Assert.Equal(Erasure.Customer, (await cluster.Desk.Order(order.Id).Show())!.Customer);
        Assert.All(await cluster.ChangesOf(order.Id), change => Assert.Equal(Erasure.Customer, change.Order.Customer));
        Assert.True((await Verify()).Holds);
    }

    [Fact]
    public async Task TheBooksHaveALineForEachSubscriber()
    {
        await cluster.Placed();
        var catalog = new SubscriberCatalog([new(new() { Name = "counter" }, _ => throw new NotSupportedException())], []);
        var account = Assert.Single(await new SubscriberAccounts(cluster.Grains, catalog).Read(CancellationToken.None));
        Assert.Equal(("orders", "changes for counter", true), (account.System, account.Name, account.Balances));
    }

    private async Task<AuditReport> Verify(params SignedAuditHead[] heads)
    {
        var key = AuditPublicKey.FromPem(await cluster.Desk.AuditHeads.PublicKey());
        return await new AuditVerifier(new StoredAudit(cluster.Store, OrderCluster.Partitions), [key]).Verify([
            .. heads,
            SignedAuditHead.FromJson(await cluster.Desk.AuditHeads.Head()),
        ]);
    }

    private async Task<List<AuditEntry>> Entries(OrderId id) =>
        [
            .. (await new StoredAudit(cluster.Store, OrderCluster.Partitions).Of(id, CancellationToken.None)).Select(entry =>
                AuditEntry.Decode(entry.Entry.Span)
            ),
        ];

    private async Task<DeadLetter> Dead(OrderId id)
    {
        DeadLetter? letter = null;
        await cluster.Clock.PassUntil("the dead letter", async () => (letter = (await Letters(id)).FirstOrDefault()) is not null);
        return letter!;
    }

    private async Task<DeadLetter[]> Letters(OrderId id) =>
        [.. (await cluster.Subscriber("obedient", id.Partition).DeadLetters(0, null, 200)).Where(letter => letter.Change.OrderId == id)];

    private async Task<string[]> Seen(OrderId id)
    {
        var rows = await cluster.Store.Scan(
            SubscriberTable.Name,
            SubscriberTable.Partition(new("counter", id.Partition)),
            KeyRange.Prefix($"seen.{id}."),
            100
        );
        return [.. rows.Select(row => row.Key)];
    }

    /// <summary>
    /// Lets time pass until the audit has taken all that is in the feeds now, also of other tests' orders, and was told what is kept for
    /// it.
    /// </summary>
    private async Task AuditHasAll()
    {
        for (var partition = 0; partition < OrderCluster.Partitions; partition++)
        {
            await Through("obedient", partition);
            await Through("audit", partition);
            var notes = SubscriberTable.Partition(new("obedient", partition));
            await cluster.Clock.PassUntil("the audit to be told", async () =>
                (await cluster.Store.Scan(SubscriberTable.Name, notes, KeyRange.Prefix(SubscriberTable.NotePrefix), 1)).Count == 0
            );
        }
    }

    /// <summary>Lets time pass until it has taken all that is in the feed now.</summary>
    private async Task<SubscriberState> Through(string name, int partition, DateTimeOffset? latest = null)
    {
        var head = (await cluster.Feed(partition).Head()).Head;
        SubscriberState state = null!;
        await cluster.Clock.PassUntil(
            $"{name} to have taken everything in partition {partition}",
            async () => (state = await cluster.Subscriber(name, partition).Show()).Cursor > head,
            latest
        );
        return state;
    }
}
