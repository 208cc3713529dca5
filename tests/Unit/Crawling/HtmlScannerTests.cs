using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Grains.Crawling.Pages;
using Xunit;

namespace Unit.Crawling;

public sealed partial class HtmlScannerTests
{
    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Data", "html-tokens.txt")))
        {
            if (line.Length > 0 && line[0] != '#')
            {
                var (written, read) = line.Split("  =>  ") is [var left, var right]
                    ? (left, right)
                    : throw new FormatException($"\"{line}\" is no case: write \"written  =>  read\".");
                cases.Add(written, read);
            }
        }

        return cases;
    }

    /// <summary>AngleSharp takes from its tree what svg and math mean; alone its tokenizer does not know them.</summary>
    public static TheoryData<string, string> CasesWithoutForeignContent() =>
        [
            .. Cases()
                .Where(row =>
                    !row.Data.Item1.Contains("<svg", StringComparison.Ordinal)
                    && !row.Data.Item1.Contains("<math", StringComparison.Ordinal)
                ),
        ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void HtmlIsCutAsTheStandardSays(string written, string read) =>
        Assert.Equal(read == "nothing" ? "" : read, HtmlTokens.Scan(Unescape(written)));

    /// <summary>So that the oracle of the random test is known to be one.</summary>
    [Theory]
    [MemberData(nameof(CasesWithoutForeignContent))]
    public void AngleSharpCutsItAlike(string written, string read) =>
        Assert.Equal(read == "nothing" ? "" : read, HtmlTokens.ByAngleSharp(Unescape(written)));

    [Fact]
    public void OfATagWithManyAttributesTheFirst64AreSeen()
    {
        var html = $"<a {string.Join(' ', Enumerable.Range(0, 100).Select(i => $"a{i}=\">\""))}><b>";

        Assert.Equal(64, HtmlTokens.Scan(html).Split("=[").Length - 1);
        Assert.EndsWith(" a63=[>]> <b>", HtmlTokens.Scan(html), StringComparison.Ordinal);
    }

    /// <summary>
    /// Links were lost behind an icon's or a framework's many attributes; of a name that means nothing to a crawler the first 64 are
    /// enough.
    /// </summary>
    [Theory]
    [InlineData("href=late", "href=[late]>")]
    [InlineData("HREF=late href=later", "href=[late]>")]
    [InlineData("rel=nofollow other=x href='late'", "rel=[nofollow] href=[late]>")]
    public void AnAttributeThatSomebodyAsksForIsSeenBehindThe64th(string last, string seen)
    {
        var html = $"<a {string.Join(' ', Enumerable.Range(0, 64).Select(i => $"a{i}={i}"))} {last}>";

        Assert.EndsWith($" a63=[63] {seen}", HtmlTokens.Scan(html), StringComparison.Ordinal);
        Assert.Equal(
            "<a href=[first] " + string.Join(' ', Enumerable.Range(0, 63).Select(i => $"a{i}=[{i}]")) + ">",
            HtmlTokens.Scan($"<a href=first {string.Join(' ', Enumerable.Range(0, 63).Select(i => $"a{i}={i}"))} href=second>")
        );
    }

    /// <summary>
    /// A megabyte on which a scanner that goes back would take minutes: the test would not end in time, and the tokens are counted besides.
    /// </summary>
    [Theory]
    [InlineData("<!--")]
    [InlineData("<!-- --")]
    [InlineData("<")]
    [InlineData("</")]
    [InlineData("<a ")]
    [InlineData("<a b='")]
    [InlineData("<script><!--<script>")]
    [InlineData("<title></titl")]
    [InlineData("<svg><![CDATA[")]
    [InlineData("<svg><p>")]
    [InlineData("&copy")]
    [InlineData("<!")]
    [InlineData(" a=1")]
    [InlineData(" href=1")]
    public void TheWorkGrowsNoFasterThanTheText(string piece)
    {
        var html = (piece[0] == ' ' ? "<a" : "") + new StringBuilder().Insert(0, piece, 1_000_000 / piece.Length);

        Span<HtmlScanner.Attribute> attributes = stackalloc HtmlScanner.Attribute[HtmlScanner.MaxAttributes];
        var scanner = new HtmlScanner(html, attributes);
        var tokens = 0;
        while (scanner.Read() != HtmlTokenKind.End)
        {
            tokens++;
        }

        Assert.InRange(tokens, 0, html.Length);
    }

    private static string Unescape(string text) =>
        Escapes()
            .Replace(text, match => match.Value[1] switch
                {
                    'n' => "\n",
                    'r' => "\r",
                    't' => "\t",
                    'f' => "\f",
                    '0' => "\0",
                    '\\' => "\\",
                    _ => ((char)int.Parse(match.ValueSpan[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString(),
                });

    [GeneratedRegex(@"\\(?:[nrtf0\\]|u[0-9a-f]{4})")]
    private static partial Regex Escapes();
}
