using CsCheck;
using Xunit;

namespace Unit.Crawling;

/// <summary>
/// Random text out of pieces that matter to a tokenizer, cut by our scanner and by AngleSharp's tokenizer. Without svg and math, which need
/// a tree,
/// without NUL, and without "&amp;;", of which AngleSharp 1.10.3 drops the semicolon (the standard keeps it: §13.2.5.72).
/// Where attributes are repeated more than once it drops too many, so such text is passed over: the cases in tests/Data/html-tokens.txt
/// hold what is right.
/// Compared without case: it lowers the letters of what looks like an end tag within a title, which the standard leaves alone (§13.2.5.11).
/// </summary>
public sealed class HtmlScannerAgainstAngleSharpTests
{
    private static readonly string[] Pieces =
    [
        "<",
        ">",
        "</",
        "/>",
        "<!--",
        "-->",
        "--!>",
        "-",
        "!",
        "<!",
        "<?",
        "=",
        "\"",
        "'",
        " ",
        "\n",
        "\r\n",
        "\t",
        "/",
        "a",
        "href",
        "x",
        "é",
        "<a href=",
        "<a href=\"",
        "<a ",
        "</a>",
        "<title>",
        "</title>",
        "</title ",
        "<textarea>",
        "</textarea>",
        "<style>",
        "</style>",
        "<script>",
        "</script>",
        "</script",
        "<script",
        "<xmp>",
        "</xmp>",
        "<iframe>",
        "</iframe>",
        "<plaintext>",
        "<![CDATA[",
        "]]>",
        "<!doctype ",
        "&amp;",
        "&amp",
        "&copy",
        "&copy=",
        "&copy;",
        "&notit;",
        "&notin;",
        "&#47;",
        "&#x2f",
        "&#",
        "&#x",
        "&#0;",
        "&#150;",
        "&",
        ";",
        "B",
        "<B>",
        "<br/>",
        "--",
    ];

    [Fact]
    public void BothCutRandomHtmlAlike() =>
        Gen.Int[0, Pieces.Length - 1]
            .Array[0, 24]
            .Select(chosen => string.Concat(chosen.Select(piece => Pieces[piece])).Replace("&;", "& ;", StringComparison.Ordinal))
            .Sample(
                html =>
                    string.Equals(
                        HtmlTokens.ByAngleSharp(html, out var repeated),
                        HtmlTokens.Scan(html),
                        StringComparison.OrdinalIgnoreCase
                    )
                    || repeated > 1,
                iter: 20_000,
                print: html => $"{html}\n  ours:  {HtmlTokens.Scan(html)}\n  other: {HtmlTokens.ByAngleSharp(html)}"
            );
}
