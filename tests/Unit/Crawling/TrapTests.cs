using Grains.Crawling.Specs;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

/// <summary>What keeps a crawl out of endless sites: limits of paths, rules of queries, pages that are walked through.</summary>
public sealed class TrapTests
{
    private const string Root = "http://a.example/";
    private static readonly CrawlSpec Spec = new() { Seeds = [Root] };

    [Theory]
    [InlineData("a/b/a/b/a/b", null)]
    [InlineData("a/b/a/b/a/b/a/b", "repeated-segments")]
    [InlineData("a/b/a/c/a/d/a", "repeated-segments")]
    [InlineData("x?p=a/a/a/a/a/a", null)]
    [InlineData("1/2/3/4/5/6/7/8/9/10", null)]
    [InlineData("1/2/3/4/5/6/7/8/9/10/11", "path-depth")]
    [InlineData("1//2//3//4//5//6//7", null)]
    public void APathThatGoesOnAndOnIsATrap(string path, string? reason) =>
        Assert.Equal(reason, Boundary(Spec with { MaxPathDepth = 10 }).Decide(Url(path), depth: 1).Reason);

    [Fact]
    public void ALimitOfZeroIsNone() =>
        Assert.True(
            Boundary(Spec with { MaxPathDepth = 0, MaxRepeats = 0 }).Decide(Url(string.Concat(Enumerable.Repeat("a/", 200))), 1).In
        );

    [Theory]
    [InlineData("p?utm_source=x&id=1&utm_medium=y", "p?id=1")]
    [InlineData("p?utm_source=x", "p")]
    [InlineData("p?b=2&a=1&b=1", "p?a=1&b=2&b=1")]
    [InlineData("p?sid=1&sidney=2", "p?sidney=2")]
    [InlineData("p?%75tm_x=1&a", "p?a")]
    [InlineData("p?", "p")]
    [InlineData("p", "p")]
    public void ParametersAreDroppedByNameAndSorted(string link, string known)
    {
        var boundary = Boundary(Spec with { DropParams = ["utm_*", "sid"], SortParams = true });
        var once = boundary.Normalize(Url(link));

        Assert.Equal(Root + known, once.Text);
        Assert.Equal(once, boundary.Normalize(once));
    }

    [Fact]
    public void WithoutARuleAQueryStaysAsItIs() => Assert.Equal(Root + "p?b&a&utm_x", Boundary(Spec).Normalize(Url("p?b&a&utm_x")).Text);

    [Theory]
    [InlineData("list/1", true, true)]
    [InlineData("item/1", true, false)]
    [InlineData("list/item/1", true, false)]
    [InlineData("other", false, false)]
    public void APageIsWalkedThatMatchesAWalkPatternAndNoIncludePattern(string path, bool isIn, bool isWalked)
    {
        var boundary = Boundary(Spec with { Seeds = [Root + "list/"], Include = ["*/item/*"], Walk = ["*/list/*"] });

        Assert.Equal((isIn, isWalked), (boundary.Decide(Url(path), 1).In, boundary.IsWalked(Url(path))));
    }

    [Fact]
    public void OfAddedUrlsThoseOutOfScopeAreNamed()
    {
        var added = AddedUrls.Of([Root + "1", "nonsense", "http://b.example/", Root + "1#top"], Boundary(Spec));

        Assert.Equal((2, 2), (added.Count, added.Refused));
        Assert.Equal([new(Root + "1", 0, null), new(Root + "1", 0, null)], added.ByHost[new("a.example")]);
        Assert.StartsWith("\"nonsense\" is refused: ", added.Errors[0], StringComparison.Ordinal);
        Assert.StartsWith("\"http://b.example/\" is out of scope: ", added.Errors[1], StringComparison.Ordinal);
    }

    private static CrawlBoundary Boundary(CrawlSpec spec)
    {
        Assert.True(CrawlBoundary.TryCreate(spec, out var boundary, out var errors), string.Join(' ', errors));
        return boundary;
    }

    private static CanonicalUrl Url(string path) =>
        CanonicalUrl.TryParse(Root + path, null, out var url) ? url : throw new FormatException(path);
}
