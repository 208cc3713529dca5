using System.Collections.Immutable;
using CsCheck;
using Doubles;
using Doubles.Storage;
using Grains.Crawling.Frontier;
using Grains.Crawling.Hosts;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Xunit;

namespace Unit.Crawling;

/// <summary>What a host keeps of a crawl, over its writer and a store in memory.</summary>
public sealed class HostCrawlTests
{
    private static readonly HostKey Host = new("a");
    private static readonly CrawlId Crawl = new("abcdefghij");
    private static readonly string Partition = CrawlTable.Urls(Crawl, Host);
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch.AddYears(50);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly FlakyTableStore _store = new();

    [Fact]
    public Task APageIsDoneLast() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store);
            await owner.Add("http://a/");
            var entry = owner.Lease("http://a/");
            var commits = 0;
            var doneAt = 0;
            _store.FailCommitsWhen(
                (_, _, changes) =>
                {
                    commits++;
                    doneAt = changes.Any(change => change.Key == CrawlTable.Url("http://a/")) ? commits : doneAt;
                    return null;
                }
            );

            await owner.Finish(entry, FetchResult.Answered, Enumerable.Range(0, 500).Select(i => $"http://a/{i}"));

            // 49 links of two rows each beside the head.
            Assert.Equal((11, 11), (commits, doneAt));
            Assert.Equal(501, owner.Crawl.Sums().Added);
            Assert.Equal(1, owner.Crawl.Sums().Done);
            Assert.Equal(500, owner.Crawl.Sums().Waiting);
        });

    [Fact]
    public Task LeasesThatEndWithoutAReportCostNoTryWhileASiloMayStandStill() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store);
            await owner.Add("http://a/");
            for (var lost = 1; lost <= 2 * HostCrawl.MaxLost; lost++)
            {
                Assert.Null(owner.Expire("http://a/"));
            }

            var row = await owner.Row("http://a/");
            Assert.Equal((UrlState.Queued, 0), (row.State, row.Attempts));
            Assert.NotNull(owner.Crawl.Queue.Peek(owner.Now));
        });

    [Fact]
    public Task AUrlThatLosesItsLeasesForALongTimeHasFailed() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store);
            await owner.Add("http://a/");
            for (var lost = 1; lost < HostCrawl.MaxLost; lost++)
            {
                Assert.Null(owner.Expire("http://a/"));
            }

            owner.Now += HostCrawl.LostFor;
            await owner.Writer.Commit(owner.Expire("http://a/")!);

            var row = await owner.Row("http://a/");
            Assert.Equal((UrlState.Failed, 1, "lease-expired"), (row.State, row.Attempts, row.Reason));
            Assert.Equal((1L, 0L), (owner.Crawl.Sums().Failed, owner.Crawl.Sums().Waiting));
            Assert.Equal([KeyValuePair.Create("lease-expired", 1L)], owner.Crawl.Sums().Refused);
        });

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(11)]
    public async Task ACrashBetweenTheCommitsOfAPageLeavesItQueuedAndLosesNoLink(int crash)
    {
        var owner = await Owner.Open(_store);
        await owner.Add("http://a/");
        var entry = owner.Lease("http://a/");
        var commits = 0;
        _store.FailCommitsWhen((_, _, _) => ++commits == crash ? CommitFailure.UnknownNotApplied : null);
        var links = Enumerable.Range(0, 500).Select(i => $"http://a/{i}").ToList();

        await Assert.ThrowsAsync<PartitionLostException>(() => owner.Finish(entry, FetchResult.Answered, links));
        _store.FailCommitsWhen((_, _, _) => null);
        var successor = await Owner.Open(_store);

        Assert.Equal(0, successor.Crawl.Sums().Done);
        Assert.Equal("http://a/", successor.Crawl.Queue.Peek(Start)!.Url);
        await successor.Finish(successor.Lease("http://a/"), FetchResult.Answered, links);
        Assert.Equal(501, successor.Crawl.Sums().Added);
        Assert.Equal(500, successor.Crawl.Sums().Waiting);
        Assert.Equal(1, successor.Crawl.Sums().Done);
        Assert.Equal(UrlState.Fetched, (await successor.Row("http://a/")).State);
    }

    [Fact]
    public Task ASecondOwnerFencesTheFirst() =>
        Turns.Run(async () =>
        {
            var first = await Owner.Open(_store);
            await first.Add("http://a/1");
            var second = await Owner.Open(_store);

            await Assert.ThrowsAsync<PartitionLostException>(() => first.Add("http://a/2"));
            await Assert.ThrowsAsync<PartitionLostException>(() => first.Add("http://a/3"));
            await second.Add("http://a/2");

            Assert.Equal(2, second.Crawl.Sums().Added);
        });

    [Theory]
    [InlineData(CommitFailure.UnknownApplied)]
    [InlineData(CommitFailure.UnknownNotApplied)]
    [InlineData(CommitFailure.Conflict)]
    [InlineData(CommitFailure.Throw)]
    public async Task ACommitThatFailedOrIsUnknownEndsTheWriterForAllWhoWait(CommitFailure failure)
    {
        var owner = await Owner.Open(_store);
        _store.FailNextCommits(1, failure);
        var gate = _store.HoldCommits();
        var held = owner.Add("http://a/1");
        await gate.Arrived;
        var waiting = owner.Add("http://a/2");
        gate.Open();

        await Assert.ThrowsAsync<PartitionLostException>(() => held);
        Assert.Same(
            await Assert.ThrowsAsync<PartitionLostException>(() => waiting),
            await Assert.ThrowsAsync<PartitionLostException>(() => owner.Add("http://a/3"))
        );
        Assert.Equal(failure == CommitFailure.UnknownApplied ? 1 : 0, (await Owner.Open(_store)).Crawl.Sums().Added);
    }

    [Fact]
    public Task WhoComesWhileACommitIsUnderWaySharesTheNext() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store);
            var before = _store.Commits;
            var gate = _store.HoldCommits();
            var first = owner.Add("http://a/0");
            await gate.Arrived;
            var others = Enumerable.Range(1, 20).Select(i => owner.Add($"http://a/{i}")).ToList();
            gate.Open();
            await Task.WhenAll([first, .. others]);

            Assert.Equal(2, _store.Commits - before);
        });

    [Fact]
    public Task AWriterSaysThatItFillsUpLongBeforeItRefuses() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store);
            var gate = _store.HoldCommits();
            var held = owner.Writer.CommitHead();
            await gate.Arrived;
            var work = new List<Task> { held };
            for (var i = 1; i <= PartitionWriter.MaxWaiting; i++)
            {
                Assert.Equal(i <= PartitionWriter.MaxWaiting / 2, owner.Writer.HasRoom);
                work.Add(owner.Writer.CommitHead());
            }

            Assert.Throws<InvalidOperationException>(() =>
            {
                _ = owner.Writer.CommitHead();
            });
            gate.Open();
            await Task.WhenAll(work);
            Assert.True(owner.Writer.HasRoom);
        });

    [Fact]
    public Task WorkThatFitsIntoNoCommitEndsTheWriterAndDoesNotTurnForEver() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store);

            var lost = await Assert.ThrowsAsync<PartitionLostException>(() => owner.Writer.Commit(new TooLarge()));

            Assert.Contains("fits into no commit", lost.Message, StringComparison.Ordinal);
        });

    [Fact]
    public Task TheDurableHorizonCoversEachLease() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store);
            await owner.Add("http://a/1", "http://a/2");
            owner.Now += Second;

            Assert.Equal(owner.Now + owner.Crawl.HeldFor, owner.Crawl.LeaseEnd(owner.Now));
            owner.Now += Second;
            // Shorter than usual, and not a tick beyond what is durable.
            Assert.Equal(owner.Crawl.Horizon, owner.Crawl.LeaseEnd(owner.Now));
            owner.Now = owner.Crawl.Horizon - HostCrawl.Grace - (owner.Crawl.Order.Spec.Timeout / 2) + TimeSpan.FromTicks(1);
            Assert.Null(owner.Crawl.LeaseEnd(owner.Now));
            Assert.Equal(owner.Crawl.Horizon, (await owner.Head()).Horizon);
        });

    [Fact]
    public Task WhoLeavesIsWaitedForOnlyAsLongAsItsLeasesLast() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store);
            await owner.Add("http://a/1", "http://a/2");
            owner.Crawl.Queue.Lease(owner.Entry("http://a/1"), owner.Crawl.NextLease(), Start + Second);
            owner.Crawl.LeaseNoMore();
            await owner.Writer.CommitHead();

            Assert.Equal(Start + Second, (await owner.Head()).Horizon);
        });

    [Fact]
    public Task ALeaseForRobotsIsWaitedForToo() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store);
            await owner.Add("http://a/1");
            owner.Crawl.RobotsLeaseEnd = Start + Second;
            owner.Crawl.LeaseNoMore();
            await owner.Writer.CommitHead();

            Assert.Equal(Start + Second, (await owner.Head()).Horizon);
        });

    [Fact]
    public Task ASuccessorThatLeavesAtOnceStillCoversTheLeasesOfItsPredecessor() =>
        Turns.Run(async () =>
        {
            var first = await Owner.Open(_store);
            await first.Add("http://a/1");
            var horizon = first.Crawl.Horizon;
            var second = await Owner.Open(_store);
            second.Crawl.LeaseNoMore();
            await second.Writer.CommitHead();

            Assert.True((await second.Head()).Horizon >= horizon);
        });

    [Fact]
    public Task APageThatWaitsForItsCommitCountsAgainstTheLimit() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store, maxPages: 1);
            await owner.Add("http://a/1", "http://a/2");
            owner.Crawl.Allow(1);
            Assert.True(owner.Crawl.MayLease);
            var entry = owner.Lease("http://a/1");
            Assert.False(owner.Crawl.MayLease);

            var gate = _store.HoldCommits();
            var finished = owner.Finish(entry, FetchResult.Answered, []);
            Assert.False(owner.Crawl.MayLease);
            Assert.Equal(1, owner.Crawl.Sums().Used);
            gate.Open();
            await finished;

            Assert.False(owner.Crawl.MayLease);
            Assert.Equal(1, owner.Crawl.Sums().Used);
            Assert.True(owner.Crawl.Sums().WantsMore);
        });

    [Fact]
    public Task APageThatFailedForGoodDoesNotCountAgainstTheLimit() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store, maxPages: 1);
            await owner.Add("http://a/1", "http://a/2");
            owner.Crawl.Allow(1);
            await owner.Finish(owner.Lease("http://a/1"), FetchResult.Permanent, []);

            Assert.Equal(0, owner.Crawl.Sums().Used);
            Assert.True(owner.Crawl.MayLease);
        });

    [Fact]
    public Task ATemporaryFailureComesBackInItsTimeAndIsGivenUpAfterTheLastTry() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store);
            await owner.Add("http://a/1");
            await owner.Finish(owner.Lease("http://a/1"), FetchResult.Temporary, []);
            Assert.Null(owner.Crawl.Queue.Peek(owner.Now + Second - TimeSpan.FromTicks(1)));
            Assert.Equal(1, owner.Crawl.Queue.Peek(owner.Now + Second)!.Attempts);

            owner.Now += Second;
            await owner.Finish(owner.Lease("http://a/1"), FetchResult.Temporary, []);
            owner.Now += 2 * Second;
            await owner.Finish(owner.Lease("http://a/1"), FetchResult.Temporary, []);

            var row = await owner.Row("http://a/1");
            Assert.Equal((UrlState.Failed, 3, "http-503"), (row.State, row.Attempts, row.Reason));
            Assert.Equal(1, owner.Crawl.Sums().Failed);
            Assert.Equal(0, owner.Crawl.Sums().Waiting);
        });

    [Fact]
    public Task WhatComesBeyondTheBoundIsRefusedAndCounted() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store, maxUrls: 2);

            Assert.Equal(new AddReply(2, 1), await owner.Add("http://a/1", "http://a/2", "http://a/3"));
            Assert.Equal(1, owner.Crawl.Sums().Refused[Refusals.HostFull]);
            Assert.Equal(3, owner.Crawl.Sums().Added);
        });

    /// <summary>They came in and were gone: the books balanced without them.</summary>
    [Fact]
    public async Task LinksThatAreNotFollowedComeInAndAreRefusedInTheCommitOfTheirPage()
    {
        var owner = await Owner.Open(_store);
        await owner.Add("http://a/", "http://a/known", "http://a/2");
        var leftOut = ImmutableSortedDictionary<string, long>.Empty.Add(Refusals.TooManyLinks, 2_000).Add(Refusals.TooLongUrl, 1);
        var first = owner.Answer(owner.Lease("http://a/"), ["http://a/next"]) with
        {
            TurnedAway =
            [
                new("http://a/known", Refusals.NoFollow),
                new("http://a/next", Refusals.NoFollow),
                new("http://a/deep", Refusals.MaxDepth),
            ],
            LeftOut = leftOut,
        };
        await owner.Finish(first);

        var sums = owner.Crawl.Sums();
        Assert.Equal((3 + 1 + 1 + 2_001, 1, 3), (sums.Added, sums.Done, sums.Waiting));
        Assert.Equal(leftOut.Add(Refusals.MaxDepth, 1), sums.Refused);

        await owner.Finish(
            owner.Answer(owner.Lease("http://a/known"), []) with
            {
                TurnedAway = [new("http://a/deep", Refusals.MaxDepth), new("http://a/deeper", Refusals.MaxDepth)],
            }
        );
        Assert.Equal(2, owner.Crawl.Sums().Refused[Refusals.MaxDepth]);
        Assert.Equal(
            owner.Crawl.Sums().Added,
            owner.Crawl.Sums().Done + owner.Crawl.Sums().Refused.Values.Sum() + owner.Crawl.Sums().Waiting
        );
    }

    [Fact]
    public async Task ALinkThatWasTurnedAwayIsTakenWhenItComesAnotherWay()
    {
        var owner = await Owner.Open(_store);
        await owner.Add("http://a/");
        await owner.Finish(owner.Answer(owner.Lease("http://a/"), []) with { TurnedAway = [new("http://a/x", Refusals.NoFollow)] });

        Assert.Equal(new AddReply(1, 0), await owner.Add("http://a/x"));
        Assert.Equal("http://a/x", owner.Entry("http://a/x").Url);
    }

    [Fact]
    public async Task ThePageWhoseLinksFindItsHostFullSaysHowMany()
    {
        var owner = await Owner.Open(_store, maxUrls: 2);
        await owner.Add("http://a/");
        await owner.Finish(owner.Answer(owner.Lease("http://a/"), ["http://a/1", "http://a/2", "http://a/3"]));

        Assert.Equal([KeyValuePair.Create(Refusals.HostFull, 2L)], (await owner.Row("http://a/")).Page!.LeftOut!);
        Assert.Equal(2, owner.Crawl.Sums().Refused[Refusals.HostFull]);
    }

    [Fact]
    public async Task APageThatWasReadInPartIsCounted()
    {
        var owner = await Owner.Open(_store);
        await owner.Add("http://a/1", "http://a/2");
        var cut = owner.Answer(owner.Lease("http://a/1"), []);
        await owner.Finish(cut with { Page = cut.Page! with { Truncated = true } });
        await owner.Finish(owner.Answer(owner.Lease("http://a/2"), []));

        Assert.Equal((2, 1), (owner.Crawl.Sums().Done, owner.Crawl.Sums().Truncated));
    }

    /// <summary>Each hop is a URL of its own: the count goes with it, over a restart too.</summary>
    [Fact]
    public async Task TheHopsOfARedirectAreKeptWithTheUrl()
    {
        var owner = await Owner.Open(_store);
        await owner.Add("http://a/0");
        for (var hop = 0; hop < 3; hop++)
        {
            var answer = owner.Answer(owner.Lease($"http://a/{hop}"), [$"http://a/{hop + 1}"]);
            await owner.Finish(answer with { Page = answer.Page! with { Status = 302, Location = $"http://a/{hop + 1}" } });
        }

        Assert.Equal(3, owner.Entry("http://a/3").Hops);
        var successor = await Owner.Open(_store);
        Assert.Equal(3, successor.Entry("http://a/3").Hops);
        await successor.Finish(successor.Answer(successor.Lease("http://a/3"), ["http://a/4"]));
        Assert.Equal(0, successor.Entry("http://a/4").Hops);
    }

    [Theory]
    [InlineData(null, UrlState.Failed, 1)]
    [InlineData("http://b/", UrlState.Skipped, 0)]
    public async Task ASeedOnAPrivateAddressHasFailedAndALinkThereIsSkipped(string? parent, UrlState state, int failed)
    {
        var owner = await Owner.Open(_store);
        await owner.Writer.Commit(owner.Crawl.Accept([new("http://a/", 0, parent)], owner.Now));
        await owner.Writer.Commit(
            owner.Crawl.Fail(owner.Take("http://a/"), Refusals.PrivateAddress, "a is 10.0.0.1, which is private.", owner.Now)
        );

        var row = await owner.Row("http://a/");
        Assert.Equal(
            (state, 0, "private-address", "a is 10.0.0.1, which is private."),
            (row.State, row.Attempts, row.Reason, row.Page!.Error)
        );
        Assert.Equal(
            (failed, 1, 0),
            (owner.Crawl.Sums().Failed, owner.Crawl.Sums().Refused[Refusals.PrivateAddress], owner.Crawl.Sums().Waiting)
        );
    }

    [Fact]
    public async Task AUrlWhoseHostCannotBeReachedHasFailedWithTheCauseAndWithoutATry()
    {
        var owner = await Owner.Open(_store);
        await owner.Add("http://a/");
        await owner.Writer.Commit(
            owner.Crawl.Fail(owner.Take("http://a/"), "unreachable", "The name a has no address: HostNotFound.", owner.Now)
        );

        var row = await owner.Row("http://a/");
        Assert.Equal((UrlState.Failed, 0, "unreachable"), (row.State, row.Attempts, row.Reason));
        Assert.Equal((null, "The name a has no address: HostNotFound."), (row.Page!.Status, row.Page.Error));
        Assert.Equal(1, owner.Crawl.Sums().Failed);
        Assert.Equal("http://a/", Assert.Single(owner.Crawl.TakeFinished()).Url);
    }

    [Fact]
    public Task AnEndRefusesAllThatWaitsAndWhatIsReportedLaterIsNotCountedTwice() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store);
            await owner.Add("http://a/1", "http://a/2");
            var entry = owner.Lease("http://a/1");
            await owner.Writer.Commit(owner.Crawl.End(Refusals.Cancelled));
            await owner.Finish(entry, FetchResult.Answered, []);

            var sums = owner.Crawl.Sums();
            Assert.Equal((2, 0, 2, 0), (sums.Added, sums.Done, sums.Refused[Refusals.Cancelled], sums.Waiting));
            Assert.Equal(0, sums.Used);
        });

    /// <summary>
    /// Whatever is commanded, and whoever takes over in between: after each commit the rows agree with the counters, and these with each
    /// other.
    /// </summary>
    [Fact]
    public async Task TheBooksBalanceAfterEveryCommit() =>
        await Gen.Select(Gen.Int[0, 9], Gen.Int[0, 99])
            .Array[1, 60]
            .SampleAsync(
                steps =>
                    Turns.Run(async () =>
                    {
                        var store = new FlakyTableStore();
                        var owner = await Owner.Open(store, maxUrls: 60);
                        var leased = new List<QueueEntry>();
                        var fetched = new HashSet<string>();
                        foreach (var (step, x) in steps)
                        {
                            switch (step)
                            {
                                case 0 or 1:
                                    await owner.Add([.. Enumerable.Range(x, 5).Select(i => $"http://a/{i}")]);
                                    break;
                                case 2 or 3 or 4:
                                    if (owner.Crawl.MayLease && owner.Crawl.Queue.Peek(owner.Now) is { } next)
                                    {
                                        Assert.DoesNotContain(next.Url, fetched);
                                        owner.Crawl.Queue.Lease(next, owner.Crawl.NextLease(), owner.Now + (10 * Second));
                                        leased.Add(next);
                                    }

                                    break;
                                case 5 or 6 or 7:
                                    if (leased.Count > 0)
                                    {
                                        var entry = leased[x % leased.Count];
                                        leased.Remove(entry);
                                        if (!owner.Crawl.Queue.IsHeld(entry.Url, out var number))
                                        {
                                            break;
                                        }

                                        entry = owner.Crawl.Queue.End(entry.Url, number)!; // It may be out for another try by now.
                                        var result = (FetchResult[])
                                            [FetchResult.Answered, FetchResult.Temporary, FetchResult.Permanent, FetchResult.Known];
                                        if (!owner.Crawl.Ended && result[x % 4] == FetchResult.Answered)
                                        {
                                            fetched.Add(entry.Url);
                                        }

                                        await owner.Finish(entry, result[x % 4], Enumerable.Range(x, 60).Select(i => $"http://a/{i}"));
                                    }

                                    break;
                                case 8:
                                    owner.Now += x * Second;
                                    owner.Crawl.Queue.EndOver(owner.Now).ForEach(owner.Crawl.Queue.Add);
                                    break;
                                default:
                                    if (x >= 90)
                                    {
                                        await owner.Writer.Commit(owner.Crawl.End(Refusals.CrawlDone));
                                    }
                                    else if (x >= 75)
                                    {
                                        await owner.Reopen();
                                    }
                                    else if (x >= 60)
                                    {
                                        await owner.Requeue(x % 2 == 0 ? null : "http-503");
                                    }
                                    else
                                    {
                                        owner = await Owner.Open(store, maxUrls: 60, now: owner.Now);
                                        leased.Clear();
                                    }

                                    break;
                            }

                            await Balance(owner, store, fetched.Count);
                        }
                    }),
                iter: 300
            );

    [Fact]
    public Task WhatHasFailedWaitsAgainWithAllItsTries() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store);
            await owner.Add("http://a/1", "http://a/2");
            await owner.Finish(owner.Lease("http://a/1"), FetchResult.Permanent, []);
            await owner.Writer.Commit(owner.Crawl.Fail(owner.Take("http://a/2"), "unreachable", "Nobody listens.", owner.Now));

            Assert.Equal([KeyValuePair.Create("unreachable", 1L)], (await owner.Requeue("unreachable")).Retried);

            Assert.Equal((2L, 1L, 1L), (owner.Crawl.Sums().Added, owner.Crawl.Sums().Failed, owner.Crawl.Sums().Waiting));
            Assert.Equal([KeyValuePair.Create("http-503", 1L)], owner.Crawl.Sums().Refused);
            Assert.Equal(("http://a/2", 0), (owner.Entry("http://a/2").Url, owner.Entry("http://a/2").Attempts));
            Assert.Equal((UrlState.Queued, "unreachable"), ((await owner.Row("http://a/2")).State, (await owner.Row("http://a/2")).Reason));
            Assert.Empty((await owner.Requeue("unreachable")).Retried);
        });

    /// <summary>The successor has fetched nothing yet, so only whoever brings the link tells it the time.</summary>
    [Fact]
    public Task ALinkIntoATrapFromAnotherHostIsPutOffAfterARestartToo() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store);
            await owner.Add("http://a/day?0");
            for (var day = 0; owner.Crawl.Sums().Traps is null; day++)
            {
                await owner.Finish(owner.Lease($"http://a/day?{day}"), FetchResult.Answered, [$"http://a/day?{day + 1}"]);
            }

            var before = Assert.Single(owner.Crawl.Sums().Traps!.Value);
            var successor = await Owner.Open(_store, now: owner.Now);
            await successor.Writer.Commit(successor.Crawl.Accept([new("http://a/day?9999", 1, "http://b/")], successor.Now));

            Assert.Equal(before with { Slowed = before.Slowed + 1 }, Assert.Single(successor.Crawl.Sums().Traps!.Value));
        });

    [Fact]
    public Task AFailedSitemapIsTriedAgainAsASitemap() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store);
            await owner.Writer.Commit(owner.Crawl.Accept([new("http://a/map", 0, "http://a/robots.txt", IsSitemap: true)], owner.Now));
            await owner.Finish(owner.Lease("http://a/map"), FetchResult.Permanent, []);

            await owner.Requeue(reason: null);

            Assert.True(owner.Entry("http://a/map").IsSitemap);
            Assert.True(new UrlRow("http://a/map", 0, "http://a/robots.txt", UrlState.Failed, 1).IsSitemap); // As an earlier version has it.
        });

    [Fact]
    public Task OnlyALaterVersionOfACrawlReopensItsEnd() =>
        Turns.Run(async () =>
        {
            var owner = await Owner.Open(_store);
            await owner.Add("http://a/");
            await owner.Writer.Commit(owner.Crawl.End(Refusals.CrawlDone));

            Assert.False(owner.Crawl.MayReopen(owner.Crawl.Order));
            Assert.False(owner.Crawl.MayReopen(owner.Crawl.Order with { Version = 5, State = CrawlState.Cancelled }));
            Assert.Equal([KeyValuePair.Create("crawl-done", 1L)], owner.Crawl.Sums().Refused);
            await owner.Reopen();

            Assert.Equal((0, 1L), (owner.Crawl.Sums().Refused.Count, owner.Crawl.Sums().Waiting));
            Assert.Equal("http://a/", owner.Entry("http://a/").Url);
        });

    private static async Task Balance(Owner owner, FlakyTableStore store, int fetched)
    {
        var sums = owner.Crawl.Sums();
        Assert.Equal(sums.Added, sums.Done + sums.Refused.Values.Sum() + sums.Waiting);
        Assert.Equal(fetched, sums.Done);
        var rows = await store.Scan(CrawlTable.Name, Partition, KeyRange.Prefix(CrawlTable.UrlPrefix), StoreLimits.MaxScan);
        var states = rows.Select(row => CrawlJson.Read<UrlRow>(row.Payload).State).ToList();
        Assert.Equal(sums.Done, states.Count(state => state == UrlState.Fetched));
        Assert.Equal(sums.Failed, states.Count(state => state == UrlState.Failed));
        if (!owner.Crawl.Ended)
        {
            Assert.Equal(sums.Waiting, states.Count(state => state == UrlState.Queued));
            var ready = await store.Scan(CrawlTable.Name, Partition, KeyRange.Prefix(QueueEntry.ReadyPrefix), StoreLimits.MaxScan);
            var later = await store.Scan(CrawlTable.Name, Partition, KeyRange.Prefix(QueueEntry.LaterPrefix), StoreLimits.MaxScan);
            Assert.Equal(sums.Waiting, ready.Count + later.Count);
            Assert.Equal(sums.Waiting, owner.Crawl.Queue.Ready.Count + owner.Crawl.Queue.Later.Count + owner.Crawl.Queue.Leased);
        }
    }

    private sealed class TooLarge : IPartitionWork
    {
        public bool Fill(CommitBuilder commit) => commit.HasRoom(rows: 1, bytes: StoreLimits.MaxCommitBytes);
    }

    /// <summary>A partition and its owner, with a clock that the test moves.</summary>
    private sealed class Owner
    {
        private readonly HostPartition _partition;
        private readonly FlakyTableStore _store;
        private readonly Clock _clock;

        private Owner(HostPartition partition, FlakyTableStore store, Clock clock)
        {
            _partition = partition;
            _store = store;
            _clock = clock;
        }

        public DateTimeOffset Now
        {
            get => _clock.Now;
            set => _clock.Now = value;
        }

        public HostCrawl Crawl => _partition.Crawl;

        public PartitionWriter Writer => _partition.Writer;

        public static async Task<Owner> Open(
            FlakyTableStore store,
            long? maxPages = null,
            int maxUrls = 1_000_000,
            DateTimeOffset? now = null
        )
        {
            var clock = new Clock { Now = now ?? Start };
            var order = new CrawlOrder(HostCrawlTests.Crawl, 1, CrawlState.Running, new() { Seeds = ["http://a/"], MaxPages = maxPages });
            var partition = await HostPartition.Open(
                store,
                Host,
                HostCrawlTests.Crawl,
                order,
                new() { MaxUrlsPerHost = maxUrls },
                new(3, Second, 100 * Second, () => 0.5),
                clock
            );
            await partition!.Loaded;
            return new(partition, store, clock);
        }

        public async Task<AddReply> Add(params string[] urls)
        {
            var work = Crawl.Accept([.. urls.Select(url => new FoundUrl(url, 0, null))], Now);
            await Writer.Commit(work);
            return work.Reply;
        }

        /// <summary>As the crawl does that goes on after its end.</summary>
        public async Task Reopen()
        {
            await _partition.Reopen(Crawl.Order with { Version = Crawl.Order.Version + 1 });
            await _partition.Loaded;
        }

        public Task<HostRetry> Requeue(string? reason) => _partition.Requeue(reason, after: null);

        public QueueEntry Entry(string url)
        {
            var entry = Crawl.Queue.Peek(Now)!;
            Assert.Equal(url, entry.Url);
            return entry;
        }

        /// <summary>Leased and reported at once: what is left is to finish it.</summary>
        public QueueEntry Lease(string url)
        {
            var number = Crawl.NextLease();
            var entry = Entry(url);
            Crawl.Queue.Lease(entry, number, Now + Crawl.HeldFor);
            return entry;
        }

        /// <summary>Taken out of the queue without a lease.</summary>
        public QueueEntry Take(string url)
        {
            var entry = Entry(url);
            Crawl.Queue.Remove(entry);
            return entry;
        }

        /// <summary>Leased, and over without a report.</summary>
        public IPartitionWork? Expire(string url)
        {
            Lease(url);
            Now += Crawl.HeldFor;
            return Crawl.Expire(Assert.Single(Crawl.Queue.EndOver(Now)), Now);
        }

        public Task Finish(QueueEntry entry, FetchResult result, IEnumerable<string> links)
        {
            if (Crawl.Queue.IsHeld(entry.Url, out var number))
            {
                Crawl.Queue.End(entry.Url, number);
            }

            var page = new PageRecord(entry.Url, 200, 0, null, null, null, 10, null, 0, Now, 1, 1, null, Truncated: false, null);
            var reason = result is FetchResult.Temporary or FetchResult.Permanent ? "http-503" : null;
            return Writer.Commit(
                Crawl.Finish(
                    entry,
                    new(
                        HostCrawlTests.Crawl,
                        LeaseKind.Page,
                        entry.Url,
                        number,
                        result,
                        reason,
                        null,
                        page,
                        [.. links.Distinct()],
                        Robots: null
                    ),
                    Now
                )
            );
        }

        /// <summary>A page of status 200 that links to these.</summary>
        public FetchOutcome Answer(QueueEntry entry, IEnumerable<string> links) =>
            new(
                HostCrawlTests.Crawl,
                LeaseKind.Page,
                entry.Url,
                0,
                FetchResult.Answered,
                null,
                null,
                new(entry.Url, 200, 0, null, null, null, 10, null, 0, Now, 1, 1, null, Truncated: false, null),
                [.. links],
                Robots: null
            );

        public Task Finish(FetchOutcome outcome)
        {
            Assert.True(Crawl.Queue.IsHeld(outcome.Url, out var number));
            return Writer.Commit(Crawl.Finish(Crawl.Queue.End(outcome.Url, number)!, outcome, Now));
        }

        public async Task<UrlRow> Row(string url) =>
            CrawlJson.Read<UrlRow>((await _store.Get(CrawlTable.Name, Partition, CrawlTable.Url(url)))!.Payload);

        public async Task<HostHead> Head() =>
            CrawlJson.Read<HostHead>((await _store.Get(CrawlTable.Name, Partition, PartitionWriter.HeadKey))!.Payload);
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
