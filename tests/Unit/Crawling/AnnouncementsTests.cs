using Grains.Crawling.Frontier;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

public sealed class AnnouncementsTests
{
    [Fact]
    public void AnEventHasAtMostAHundredPagesInTheirOrder()
    {
        var parts = Announcements.Split([.. Enumerable.Range(0, 250).Select(i => Page($"http://a/{i}"))]).ToList();

        Assert.Equal([100, 100, 50], parts.Select(part => part.Length));
        Assert.Equal(Enumerable.Range(0, 250).Select(i => $"http://a/{i}"), parts.SelectMany(part => part).Select(page => page.Url));
    }

    [Fact]
    public void LongTextsMakeMoreEvents()
    {
        var url = "http://a/" + new string('x', Announcements.MaxCharacters / 2);

        Assert.Equal([1, 1, 1], Announcements.Split([Page(url), Page(url), Page(url)]).Select(part => part.Length));
    }

    [Fact]
    public void NothingIsNoEvent() => Assert.Empty(Announcements.Split([]));

    private static PageRecord Page(string url) =>
        new(url, 200, 0, null, null, null, 0, null, 0, DateTimeOffset.UnixEpoch, 0, 1, null, Truncated: false, null);
}
