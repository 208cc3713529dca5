using System.Collections.Immutable;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Frontier;

/// <summary>How finished pages are put into events: few and long-lived streams, and no event that is too large for one.</summary>
public static class Announcements
{
    /// <summary>Characters of texts in one event at most, unless a single page has more: so an event stays below 200 KB.</summary>
    public const int MaxCharacters = 64 * 1024;

    /// <summary>The stream of a host, 0 to <see cref="CrawlStreams.PagePartitions"/>; the same on every silo.</summary>
    public static int Partition(HostKey host) =>
        (int)(XxHash3.HashToUInt64(MemoryMarshal.AsBytes(host.Value.AsSpan())) % CrawlStreams.PagePartitions);

    /// <summary>
    /// The pages in their order, in parts of at most <see cref="PagesFinished.MaxPages"/> pages and <see cref="MaxCharacters"/>.
    /// </summary>
    public static IEnumerable<ImmutableArray<PageRecord>> Split(ImmutableArray<PageRecord> pages)
    {
        var start = 0;
        var characters = 0;
        for (var i = 0; i < pages.Length; i++)
        {
            var size = Size(pages[i]);
            if (i > start && (i - start == PagesFinished.MaxPages || characters + size > MaxCharacters))
            {
                yield return pages[start..i];
                (start, characters) = (i, 0);
            }

            characters += size;
        }

        if (start < pages.Length)
        {
            yield return pages[start..];
        }
    }

    private static int Size(PageRecord page) =>
        page.Url.Length
        + Length(page.Parent)
        + Length(page.Title)
        + Length(page.Location)
        + Length(page.Error)
        + Length(page.ContentType)
        + Length(page.Digest);

    private static int Length(string? text) => text?.Length ?? 0;
}
