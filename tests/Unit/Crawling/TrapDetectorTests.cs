using System.Collections.Immutable;
using Grains.Crawling.Rows;
using Grains.Crawling.Traps;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

/// <summary>Calendars and facets without end, and what only looks like them.</summary>
public sealed class TrapDetectorTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch.AddYears(50);

    [Theory]
    [InlineData("/calendar/2026/03", "/calendar/*/*")]
    [InlineData("/calendar/2026/03/17", "/calendar/*/*/*")]
    [InlineData("/calendar/2026-03-17", "/calendar/*")]
    [InlineData("/calendar/20260317.html", "/calendar/*.html")]
    [InlineData("/room/12/week/2026-w09", "/room/*/week/*-w*")]
    [InlineData("/shoes?color=red&size=42", "/shoes?*")]
    [InlineData("/shoes?size=43", "/shoes?*")]
    [InlineData("/day?2026-03-17", "/day?*")]
    [InlineData("/events/1999", "/events/*")]
    [InlineData("/events/2026/november/", "/events/*/*/")]
    [InlineData("/events/November/2026", "/events/*/*")]
    [InlineData("/events/nov-2026", "/events/*-*")]
    [InlineData("/events/30-Nov-2026", "/events/*-*-*")]
    [InlineData("/events/2026/sept/7", "/events/*/*/*")]
    [InlineData("/events/2026/you-may-come", "/events/*/you-may-come")]
    [InlineData("/events/2026/marches", "/events/*/marches")]
    [InlineData("/filter/a,b,c", "/filter/*,*")]
    [InlineData("/filter/a%2Cb", "/filter/*%*C*")]
    [InlineData("/tags/red|xl", "/tags/*|*")]
    [InlineData("/tags/red+xl/", "/tags/*+*/")]
    [InlineData("/shoes/color=red&size=42/", "/shoes/*&*/")]
    [InlineData("/shoes;color=red;size=42", "/shoes;*")]
    [InlineData("/shoes;color=red/men;size=42", "/shoes;*/men;*")]
    [InlineData("/shoes;a=1,2", "/shoes;*")]
    [InlineData("/filter/a", null)]
    [InlineData("/,", null)]
    [InlineData("/people/june", null)]
    [InlineData("/product/17", null)]
    [InlineData("/product/20263", null)]
    [InlineData("/about", null)]
    [InlineData("/", null)]
    public void UrlsWithADateOrAQueryHaveAShape(string path, string? shape) =>
        Assert.Equal(shape is null ? null : "http://a.example" + shape, UrlShape.Of("http://a.example" + path));

    [Theory]
    [InlineData("a calendar whose titles differ by the date", 100)]
    [InlineData("a calendar with the months by name", 100)]
    [InlineData("facets with one title", 100)]
    [InlineData("pages without a title", 100)]
    [InlineData("a calendar after a thousand days with events", 1044)]
    [InlineData("a list of items", 0)]
    [InlineData("a wiki", 0)]
    [InlineData("articles by date", 0)]
    [InlineData("an archive that comes to its end", 0)]
    public void AShapeIsATrapWhenItsPagesLeadToNothingButMoreOfThem(string site, int foundAt)
    {
        string[] months = ["January", "February", "March", "April", "May", "June", "July", "August"];
        var found = FirstTrap(page =>
            site switch
            {
                "a calendar whose titles differ by the date" => ($"Calendar 2026-{page}", 1, 0),
                "a calendar with the months by name" => ($"{months[page % months.Length]} {2000 + page}", 2, 0),
                "facets with one title" => ("Shoes", 12, 0),
                "pages without a title" => (null, 1, 0),
                "a calendar after a thousand days with events" => ("Day", 1, page < 1000 ? 1 : 0),
                "a list of items" => ($"List, page {page}", 1, 10),
                "a wiki" => ($"On {string.Concat($"{page}".Select(digit => (char)('a' + digit)))}", 5, 0),
                "articles by date" => ($"News of {string.Concat($"{page}".Select(digit => (char)('a' + digit)))}", 1, 1),
                _ => ("Archive", page < 60 ? 3 : 0, 0),
            }
        );

        Assert.Equal(foundAt, found);
    }

    [Fact]
    public void EveryShapeIsLookedAtByItself()
    {
        var detector = new TrapDetector();
        for (var page = 1; page < TrapDetector.MinPages; page++)
        {
            Assert.False(detector.Observe("a", "A", 1, 0));
            Assert.False(detector.Observe("b", "B", 1, 0));
        }

        Assert.True(detector.Observe("a", "A", 1, 0));
        Assert.False(detector.Observe("a", "A", 1, 0));
        Assert.True(detector.Observe("b", "B", 1, 0));
    }

    [Fact]
    public void UrlsOfATrapAreAskedForOneByOneAndBeyondAHundredTheyAreRefused()
    {
        var traps = TrapTrickle.With([], "s", "e", Start);
        var interval = TrapTrickle.Interval(new() { Seeds = [], Delay = TimeSpan.FromSeconds(2) });
        var due = new List<DateTimeOffset?>();
        for (var url = 0; url < 105; url++)
        {
            traps = TrapTrickle.Take(traps, traps[0], interval, Start, out var at);
            due.Add(at);
        }

        Assert.Equal(Enumerable.Range(0, 100).Select(url => (DateTimeOffset?)(Start + (url * interval))), due.Take(100));
        Assert.All(due.Skip(100), Assert.Null);
        Assert.Equal((TimeSpan.FromSeconds(20), 100, 5), (interval, traps[0].Slowed, traps[0].Refused));
        _ = TrapTrickle.Take(traps, traps[0], interval, Start + (10 * interval), out var later);
        Assert.Equal(Start + (100 * interval), later);
    }

    [Fact]
    public void AHostHasABoundedNumberOfTrapsEachOnce()
    {
        ImmutableArray<TrapRow> traps = [];
        for (var trap = 0; trap < 2 * TrapTrickle.MaxTraps; trap++)
        {
            traps = TrapTrickle.With(TrapTrickle.With(traps, $"{trap}", "e", Start), $"{trap}", "e", Start);
        }

        Assert.Equal(TrapTrickle.MaxTraps, traps.Length);
        Assert.Equal(TimeSpan.FromSeconds(1), TrapTrickle.Interval(new() { Seeds = [], Delay = TimeSpan.Zero }));
    }

    [Fact]
    public void OfACrawlTheLargestTrapsAreToldOf()
    {
        var some = Enumerable.Range(0, 8).Select(trap => new CrawlTrap($"a{trap}", "e", trap, 0));
        var others = Enumerable.Range(0, 8).Select(trap => new CrawlTrap($"b{trap}", "e", 0, trap + 10));

        var told = CrawlTrap.Both([.. some], [.. others])!.Value;

        Assert.Equal(["b7", "b6", "b5", "b4", "b3", "b2", "b1", "b0", "a7", "a6"], told.Select(trap => trap.Pattern));
        Assert.Null(CrawlTrap.Both(null, null));
    }

    /// <summary>The number of the page by which the shape turns out to be a trap; 0: it does not.</summary>
    private static int FirstTrap(Func<int, (string? Title, int NewOfShape, int NewOfOthers)> page)
    {
        var detector = new TrapDetector();
        return Enumerable
            .Range(1, 2_000)
            .FirstOrDefault(number =>
            {
                var (title, own, others) = page(number);
                return detector.Observe("shape", title, own, others);
            });
    }
}
