using System.Text;
using Grains.Crawling.Pages;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Archive;

/// <summary>An answer as it was kept.</summary>
/// <param name="Head">Status line and header fields, without the empty line that ends them.</param>
/// <param name="Body">Decoded.</param>
internal sealed record PageContent(string Head, ReadOnlyMemory<byte> Body)
{
    /// <summary>The answer of a page; null when its object is gone.</summary>
    /// <exception cref="InvalidDataException">The object is damaged.</exception>
    public static async Task<PageContent?> Read(IBlobStore blobs, KeptPage page, CancellationToken cancel)
    {
        if (await blobs.Get(page.Blob, page.Offset, page.Length, cancel) is not { } members)
        {
            return null;
        }

        var answer = members.Length == page.Length ? WarcReader.Read(members).Find(record => record.Type is "response" or "revisit") : null;
        var end = answer?.Block.Span.IndexOf("\r\n\r\n"u8) ?? -1;
        return end < 0
            ? throw new InvalidDataException($"{page.Blob} has no whole answer at {page.Offset}.")
            : new(Encoding.Latin1.GetString(answer!.Block.Span[..end]), answer.Block[(end + 4)..]);
    }

    /// <summary>The body in another form.</summary>
    /// <param name="isCut">The body is not here whole.</param>
    /// <param name="isText">What is answered is text in UTF-8.</param>
    public ReadOnlyMemory<byte> As(PageView view, bool isCut, out bool isText)
    {
        var type = Type;
        var text = view == PageView.Body ? null : PageText.Decode(Body.Span, type, isCut);
        isText = text is not null;
        return text is null
            ? Body
            : Encoding.UTF8.GetBytes(view == PageView.Reading && type.IsHtml ? ReadingText.Of(text, type.IsXml) : text);
    }

    /// <summary>As the kept header fields say, or where they say nothing, as the first bytes do.</summary>
    private ContentType Type
    {
        get
        {
            var fields = Head.Split("\r\n")
                .Where(line => line.StartsWith("Content-Type:", StringComparison.OrdinalIgnoreCase))
                .Select(line => line["Content-Type:".Length..].Trim());
            var said = ContentType.Parse(string.Join(", ", fields));
            return new(MimeSniffer.Type(said.MediaType, false, false, Body.Span), said.Charset);
        }
    }
}
