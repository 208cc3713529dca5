namespace Grains.Interfaces.Crawling;

/// <summary>Reads kept pages whole, part by part.</summary>
public static class PageParts
{
    /// <summary>The page with its whole body, or why there is none (<see cref="PagePart.Why"/>).</summary>
    public static async Task<PagePart> WholePage(this ICrawlGrain crawl, string url, PageView view, CancellationToken cancel)
    {
        var first = await crawl.Page(url, view, offset: 0, cancel);
        if (first.Body.Length == first.BodyBytes)
        {
            return first;
        }

        var body = new byte[first.BodyBytes];
        first.Body.CopyTo(body, 0);
        long read = first.Body.Length;
        while (read < body.Length)
        {
            var part = await crawl.Page(url, view, read, cancel);
            if (part.Body.Length == 0 || part.BodyBytes != body.Length)
            {
                throw new InvalidDataException($"{url} changed or went away while it was read: {part.Why}");
            }

            part.Body.CopyTo(body, read);
            read += part.Body.Length;
        }

        return first with
        {
            Body = body,
        };
    }
}
