namespace Grains.Interfaces.Crawling;

/// <summary>Which answers a crawl keeps whole, as WARC records.</summary>
public enum KeepPages
{
    /// <summary>None: only their rows.</summary>
    None,

    /// <summary>HTML and XHTML, whatever their status. The default.</summary>
    Html,

    /// <summary>All, redirects among them.</summary>
    All,
}

/// <summary>What a crawl keeps of its pages: <c>ToKeep = Pages + NotKept</c>.</summary>
/// <param name="ToKeep">Pages that were to be kept.</param>
/// <param name="Pages">Pages that are kept.</param>
/// <param name="Bytes">Of their records, as stored.</param>
/// <param name="NotKept">Pages that were to be kept and were not: the crawl's limit was reached, or the page is too large.</param>
/// <param name="RemovedAt">When the kept pages were removed because their time was over; null while they are there.</param>
[GenerateSerializer, Immutable, Alias("crawling.KeptPages")]
public sealed record KeptPages(
    [property: Id(0)] long ToKeep,
    [property: Id(1)] long Pages,
    [property: Id(2)] long Bytes,
    [property: Id(3)] long NotKept,
    [property: Id(4)] DateTimeOffset? RemovedAt
);

/// <summary>Where the WARC records of a page are: a part of an object in the blob store, whole gzip members.</summary>
/// <param name="Blob">The object's name.</param>
/// <param name="Offset">Of the first byte.</param>
/// <param name="Length">In bytes, as stored.</param>
[GenerateSerializer, Immutable, Alias("crawling.KeptPage")]
public sealed record KeptPage([property: Id(0)] string Blob, [property: Id(1)] long Offset, [property: Id(2)] int Length);

/// <summary>In what form a kept page is read.</summary>
public enum PageView
{
    /// <summary>The bytes of the decoded body.</summary>
    Body,

    /// <summary>The body as text in UTF-8, if its type is a text; else as for <see cref="Body"/>.</summary>
    Text,

    /// <summary>Of HTML the text in reading order, in UTF-8; else as for <see cref="Text"/>.</summary>
    Reading,
}

/// <summary>A part of a kept page's answer.</summary>
/// <param name="Page">What is known of the page; null when the crawl has not fetched it.</param>
/// <param name="Head">Status line and header fields as they were kept; null when the page was not kept.</param>
/// <param name="Body">Of the decoded body at most <see cref="MaxBytes"/>, from the offset that was asked for.</param>
/// <param name="BodyBytes">Of the whole body, in the form that was asked for.</param>
/// <param name="Why">Why there is nothing, a sentence; null when there is.</param>
/// <param name="IsText">The body is text in UTF-8.</param>
[GenerateSerializer, Immutable, Alias("crawling.PagePart")]
public sealed record PagePart(
    [property: Id(0)] PageRecord? Page,
    [property: Id(1)] string? Head,
    [property: Id(2)] byte[] Body,
    [property: Id(3)] long BodyBytes,
    [property: Id(4)] string? Why,
    [property: Id(5)] bool IsText
)
{
    public const int MaxBytes = 1024 * 1024;
}

/// <summary>A part of a crawl's WARC file.</summary>
/// <param name="Bytes">To be appended to what came before; at most <see cref="MaxBytes"/>.</param>
/// <param name="Pages">How many pages end in this part.</param>
/// <param name="Missing">How many pages were named by a row and could not be read.</param>
/// <param name="Cursor">For the next part; null at the end.</param>
[GenerateSerializer, Immutable, Alias("crawling.ArchivePart")]
public sealed record ArchivePart(
    [property: Id(0)] byte[] Bytes,
    [property: Id(1)] int Pages,
    [property: Id(2)] int Missing,
    [property: Id(3)] string? Cursor
)
{
    public const int MaxBytes = 1024 * 1024;
}
