using System.Buffers;
using System.Globalization;
using System.Text;

namespace Doubles;

/// <summary>
/// A site of any size for benchmarks, the same at every run: each page has about 15 KB and <see cref="LinksPerPage"/> links, and a walk
/// from "/" reaches all.
/// Writing a page copies prepared pieces; nothing is kept per page.
/// </summary>
public sealed class BigSite
{
    public const int LinksPerPage = 50;

    // So many links of each page lead to pages that no earlier page's first links lead to; the others go anywhere.
    private const int Children = 7;
    private const string Digits = "0000000";

    private static readonly byte[] Head = Encoding.UTF8.GetBytes(
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <link rel="stylesheet" href="/style.css"><script>var page = { a: 1 < 2, b: "</" + "div>" };</script>
        <title>Page 
        """.TrimEnd('\n')
    );

    private static readonly byte[] AfterTitle = Encoding.UTF8.GetBytes(
        """
        </title>
        </head>
        <body class="page">
        <!-- navigation is made by hand -->
        <div id="main" class="container wide"><h1>A page among many</h1>
        <ul class="links">

        """
    );

    private static readonly byte[] BeforeLink = Encoding.UTF8.GetBytes("<li class=\"entry\"><a class=\"entry-link\" href=\"/p/");

    private static readonly byte[] AfterLink = Encoding.UTF8.GetBytes(
        ".html\" title=\"Further reading\">Further reading</a> <span class=\"note\">of the same kind</span>\n"
            + "<p>Rain fell on the harbour all night, and the boats lay close along the wall &amp; waited for the tide."
            + " <em>Nobody</em> was about.</p></li>\n"
    );

    private static readonly byte[] Foot = Encoding.UTF8.GetBytes(
        "</ul></div>\n<footer><p>Made for measuring.</p></footer></body>\n</html>\n"
    );

    /// <param name="pages">1 to 9,999,999.</param>
    public BigSite(int pages)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pages, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pages, 9_999_999);
        Pages = pages;
    }

    public int Pages { get; }

    /// <summary>Every page is as long as every other.</summary>
    public static int PageBytes { get; } =
        Head.Length
        + Digits.Length
        + AfterTitle.Length
        + LinksPerPage * (BeforeLink.Length + Digits.Length + AfterLink.Length)
        + Foot.Length;

    /// <summary>"/" for page 0, "/p/0000123.html" for 123.</summary>
    public static string PathOf(int page) => page == 0 ? "/" : string.Create(CultureInfo.InvariantCulture, $"/p/{page:D7}.html");

    /// <summary>Which page a path means; null when there is none.</summary>
    public int? PageOf(ReadOnlySpan<char> path)
    {
        if (path is "/")
        {
            return 0;
        }

        var found =
            path.Length == 15
            && path.StartsWith("/p/")
            && path.EndsWith(".html")
            && int.TryParse(path.Slice(3, 7), NumberStyles.None, CultureInfo.InvariantCulture, out var page)
            && page > 0
            && page < Pages
                ? page
                : -1;
        return found < 0 ? null : found;
    }

    /// <summary>The page that a link leads to: none leads to page 0, and a site of one page links to nothing that exists.</summary>
    public int Link(int page, int index)
    {
        var child = (long)page * Children + index + 1;
        if (index < Children && child < Pages)
        {
            return (int)child;
        }

        return Pages == 1 ? 1 : 1 + (int)(((long)page * 7919 + (long)index * 104_729 + (long)index * index * page) % (Pages - 1));
    }

    public void Write(IBufferWriter<byte> writer, int page)
    {
        var room = writer.GetSpan(PageBytes)[..PageBytes];
        var at = 0;
        Put(room, ref at, Head);
        Put(room, ref at, page);
        Put(room, ref at, AfterTitle);
        for (var index = 0; index < LinksPerPage; index++)
        {
            Put(room, ref at, BeforeLink);
            Put(room, ref at, Link(page, index));
            Put(room, ref at, AfterLink);
        }

        Put(room, ref at, Foot);
        writer.Advance(PageBytes);
    }

    public byte[] Page(int page)
    {
        var writer = new ArrayBufferWriter<byte>(PageBytes);
        Write(writer, page);
        return writer.WrittenSpan.ToArray();
    }

    private static void Put(Span<byte> room, ref int at, byte[] piece)
    {
        piece.CopyTo(room[at..]);
        at += piece.Length;
    }

    private static void Put(Span<byte> room, ref int at, int number)
    {
        for (var digit = Digits.Length - 1; digit >= 0; digit--)
        {
            room[at + digit] = (byte)('0' + number % 10);
            number /= 10;
        }

        at += Digits.Length;
    }
}
