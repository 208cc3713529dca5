using System.Collections.Immutable;
using CsCheck;
using Grains.Crawling.Frontier;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

public sealed class PageSharesTests
{
    [Fact]
    public void TheOnlyHostGetsAll() => Assert.Equal(500, PageShares.Divide(500, mayFindHosts: false, Hosts(("a", null, 0, 9)))[new("a")]);

    [Fact]
    public void AHostThatIsAloneForNowLeavesSomethingForThoseThatMayBeFound() =>
        Assert.Equal(64, PageShares.Divide(500, mayFindHosts: true, Hosts(("a", null, 0, 9)))[new("a")]);

    [Fact]
    public void SeveralHostsGetAPortionEach()
    {
        var shares = PageShares.Divide(500, mayFindHosts: false, Hosts(("a", null, 0, 9), ("b", null, 0, 9), ("c", 3, 3, 0)));

        Assert.Equal(PageShares.MaxPortion, shares[new("a")]);
        Assert.Equal(PageShares.MaxPortion, shares[new("b")]);
        Assert.False(shares.ContainsKey(new("c")));
    }

    [Fact]
    public void WhatAHostWithoutWorkHasLeftIsTakenBackButNotGivenOutInTheSameRound()
    {
        var shares = PageShares.Divide(10, mayFindHosts: true, Hosts(("a", 10, 4, 0), ("b", null, 0, 9)));

        Assert.Equal(4, shares[new("a")]);
        Assert.False(shares.ContainsKey(new("b")));
        Assert.Equal(6, PageShares.Divide(10, mayFindHosts: true, Hosts(("a", 4, 4, 0), ("b", null, 0, 9)))[new("b")]);
    }

    /// <summary>
    /// Hosts hear of their shares late or not at all, fetch as much as they heard of, fail pages and give them back. Whatever happens, the
    /// limit holds;
    /// and when everybody is heard, all of it is used.
    /// </summary>
    [Fact]
    public void TheLimitIsNeverExceededAndIsReachedInTheEnd() =>
        Gen.Select(Gen.Long[1, 300], Gen.Int[1, 5], Gen.Int[0, 1000].Array[0, 60])
            .Sample(
                (most, hosts, dice) =>
                {
                    var models = Enumerable.Range(0, hosts).Select(host => new ModelHost(new($"h{host}"))).ToList();
                    foreach (var die in dice)
                    {
                        var host = models[die % hosts];
                        switch (die % 4)
                        {
                            case 0:
                                host.Waiting += die / 10;
                                break;
                            case 1:
                                host.Fetch(die % 50);
                                break;
                            default:
                                Round(models, most, heard: (die / 4) % 3 > 0);
                                break;
                        }

                        Assert.True(models.Sum(one => one.Used) <= most);
                    }

                    models[0].Waiting += most;
                    for (var round = 0; round < 200 && models.Sum(one => one.Used) < most; round++)
                    {
                        Round(models, most, heard: true);
                        models.ForEach(one => one.Fetch(int.MaxValue));
                        Assert.True(models.Sum(one => one.Used) <= most);
                    }

                    Assert.Equal(most, models.Sum(one => one.Used));
                }
            );

    private static void Round(List<ModelHost> models, long most, bool heard)
    {
        // As the crawl does: it tells what is stored and hears the sums, stores the new shares, and tells those who got others.
        var sums = models.ToDictionary(host => host.Key, host => (host.Share, host.Tell(host.Share)));
        foreach (var (key, share) in PageShares.Divide(most, mayFindHosts: true, sums))
        {
            var host = models.Find(one => one.Key == key)!;
            host.Share = share;
            if (heard)
            {
                host.Tell(share);
            }
        }
    }

    private static Dictionary<HostKey, (long? Share, HostSums Sums)> Hosts(
        params (string Host, long? Share, long Used, long Waiting)[] hosts
    ) =>
        hosts.ToDictionary(
            host => new HostKey(host.Host),
            host => (host.Share, Sums(host.Used, host.Waiting, host.Waiting > 0 && host.Used >= (host.Share ?? 0)))
        );

    private static HostSums Sums(long used, long waiting, bool wantsMore) =>
        new(used + waiting, used, ImmutableSortedDictionary<string, long>.Empty, Failed: 0, waiting, Bytes: 0, used, wantsMore);

    private sealed class ModelHost(HostKey key)
    {
        private long _allowance;

        public HostKey Key => key;

        public long? Share { get; set; }

        public long Used { get; private set; }

        public long Waiting { get; set; }

        public HostSums Tell(long? share)
        {
            _allowance = Math.Max(share ?? 0, Used);
            return Sums(Used, Waiting, Waiting > 0 && Used >= _allowance);
        }

        public void Fetch(int pages)
        {
            var fetched = Math.Min(Math.Min(pages, Waiting), _allowance - Used);
            Used += fetched;
            Waiting -= fetched;
        }
    }
}
