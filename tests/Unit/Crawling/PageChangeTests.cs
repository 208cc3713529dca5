using Grains.Crawling.Fetching;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

/// <summary>How a page stands to the one that an earlier crawl fetched.</summary>
public sealed class PageChangeTests
{
    private static readonly PageRecord Page = new(
        "http://a.example/",
        200,
        0,
        null,
        "text/html",
        "Title",
        12,
        "sha256:00",
        3,
        DateTimeOffset.UnixEpoch,
        1,
        1,
        null,
        Truncated: false,
        null,
        Kept: new("blob", 0, 1),
        ETag: "\"1\""
    );

    public static TheoryData<string, int, string?, string?, int, string?, string?> Pairs() =>
        new()
        {
            { "unchanged", 200, "sha256:00", null, 304, null, null },
            { "unchanged", 200, "sha256:00", null, 200, "sha256:00", null },
            { "unchanged", 304, "sha256:00", null, 200, "sha256:00", null },
            { "unchanged", 404, "sha256:00", null, 404, "sha256:00", null },
            { "unchanged", 301, null, "http://b.example/", 301, null, "http://b.example/" },
            { "changed", 200, "sha256:00", null, 200, "sha256:11", null },
            { "changed", 200, "sha256:00", null, 403, "sha256:00", null },
            { "changed", 301, null, "http://b.example/", 301, null, "http://c.example/" },
            { "changed", 200, "sha256:00", null, 301, null, "http://b.example/" },
            { "changed", 404, "sha256:00", null, 200, "sha256:00", null },
            { "changed", 404, "sha256:00", null, 410, "sha256:11", null },
            { "gone", 200, "sha256:00", null, 404, "sha256:11", null },
            { "gone", 304, "sha256:00", null, 410, null, null },
            { "gone", 301, null, "http://b.example/", 404, null, null },
        };

    [Theory]
    [MemberData(nameof(Pairs))]
    public void StatusContentAndTargetDecide(
        string change,
        int before,
        string? digestBefore,
        string? targetBefore,
        int status,
        string? digest,
        string? target
    ) =>
        Assert.Equal(
            change,
            PageChange.Of(
                Page with
                {
                    Status = before,
                    Digest = digestBefore,
                    Location = targetBefore,
                },
                Page with
                {
                    Status = status,
                    Digest = digest,
                    Location = target,
                }
            )
        );

    [Fact]
    public void WhatWasNotFetchedThenIsNew() => Assert.Equal("new", PageChange.Of(null, Page));

    [Fact]
    public void AServerIsAskedForAChangeOnlyOfWhatIsHereWhole()
    {
        Assert.True(PageChange.MayBeAskedFor(Page, KeepPages.Html));
        Assert.True(PageChange.MayBeAskedFor(Page with { ETag = null, LastModified = "yesterday" }, KeepPages.Html));
        Assert.False(PageChange.MayBeAskedFor(Page with { ETag = null }, KeepPages.Html));
        Assert.False(PageChange.MayBeAskedFor(Page with { Status = 404 }, KeepPages.Html));
        Assert.False(PageChange.MayBeAskedFor(Page with { Truncated = true }, KeepPages.Html));
        Assert.False(PageChange.MayBeAskedFor(Page with { Kept = null }, KeepPages.Html));
        Assert.True(PageChange.MayBeAskedFor(Page with { Status = 304, Unfetched = 15 }, KeepPages.Html));
        Assert.False(PageChange.MayBeAskedFor(Page with { Status = 304, Unfetched = 16 }, KeepPages.Html));
        Assert.False(PageChange.MayBeAskedFor(Page with { Status = 304, Unfetched = null }, KeepPages.Html));
        Assert.True(PageChange.MayBeAskedFor(Page with { Kept = null }, KeepPages.None));
        Assert.True(PageChange.MayBeAskedFor(Page with { Kept = null, ContentType = "application/pdf" }, KeepPages.Html));
        Assert.False(PageChange.MayBeAskedFor(Page with { Kept = null, ContentType = "application/pdf" }, KeepPages.All));
    }
}
