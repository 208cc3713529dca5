using System.Collections.Immutable;
using System.Text;
using Grains.Crawling.Fields;
using Grains.Interfaces.Crawling;
using HtmlAgilityPack;
using Xunit;

namespace Unit.Crawling;

/// <summary>What a crawl reads out of pages: fields by selector, and the text, both bounded.</summary>
public sealed class FieldTests
{
    private const string Shop = """
        <!doctype html><html lang=en><head><title>Shop</title><meta name=description content="All we  have">
        <script type="application/ld+json">{"@type": "Product"}</script></head>
        <body><nav><ul><li><a href="/">Home</a><li class="on x"><a href=/list title='The "list"'>List</a></ul></nav>
        <main id=main><h1>  Blue &amp; <em>green</em>
          chairs </h1><table><tr><td class=price data-net=10>12 €<td>each</table>
        <p>One<br>two<p class="price sale">9&nbsp;€<!-- no --></p><img src=a.png alt=""></main></body></html>
        """;

    [Theory]
    [InlineData("h=h1", "Blue & green chairs")]
    [InlineData("p=.price", "12 €")]
    [InlineData("p[]=.price", "12 €|9\u00a0€")]
    [InlineData("l[]=a@href", "/|/list")]
    [InlineData("l=a[title]@title", "The \"list\"")]
    [InlineData("l=A@HREF", "/")]
    [InlineData("d=meta[name=description]@content", "All we  have")]
    [InlineData("d=meta[name='description' i]@content", "All we  have")]
    [InlineData("ld=script[type='application/ld+json']", "{\"@type\": \"Product\"}")]
    [InlineData("lang=html@lang", "en")]
    [InlineData("net=td@data-net", "10")]
    [InlineData("alt=img@alt", "")]
    [InlineData("on=li.on.x > a", "List")]
    [InlineData("first=nav li:first-child a", "Home")]
    [InlineData("other[]=td:not(.price)", "each")]
    [InlineData("next=h1 + table td + td", "each")]
    [InlineData("both[]=h1, title", "Shop|Blue & green chairs")]
    [InlineData("br=main p", "Onetwo")]
    [InlineData("none=h6", null)]
    [InlineData("none[]=h6", null)]
    [InlineData("none=h1@id", null)]
    [InlineData("has=main:has(h1)@id", "main")]
    public void AFieldHasTheTextOrTheAttributeOfWhatItsSelectorMatches(string field, string? values) =>
        Assert.Equal(values?.Split('|') ?? [], Assert.Single(Read(Shop, field).Fields).Values);

    /// <summary>The second library has XPath, and no CSS.</summary>
    [Theory]
    [InlineData("a", "//a")]
    [InlineData("main", "//main")]
    [InlineData("li > a", "//li/a")]
    [InlineData("main p", "//main//p")]
    [InlineData("#main td", "//*[@id='main']//td")]
    [InlineData("td.price", "//td[contains(concat(' ', @class, ' '), ' price ')]")]
    [InlineData(".price", "//*[contains(concat(' ', @class, ' '), ' price ')]")]
    [InlineData("a[href^='/l']", "//a[starts-with(@href, '/l')]")]
    [InlineData("h1, p", "//h1 | //p")]
    [InlineData("td:last-child", "//td[not(following-sibling::*)]")]
    public void ASecondLibraryReadsTheSameTexts(string selector, string xpath)
    {
        var document = new HtmlDocument();
        document.LoadHtml(Shop.Replace("<td>each", "</td><td>each</td></tr>", StringComparison.Ordinal));
        var expected = document
            .DocumentNode.SelectNodes(xpath)!
            .Select(node => string.Concat(node.DescendantsAndSelf().OfType<HtmlTextNode>().Where(text => text is not null).Select(Text)))
            .Select(text => string.Join(' ', text.Split((char[])[' ', '\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries)));

        Assert.Equal(expected, Read(Shop, "x[]=" + selector).Fields[0].Values);

        static string Text(HtmlTextNode node) => HtmlEntity.DeEntitize(node.Text);
    }

    [Theory]
    [InlineData("price", "it is NAME=SELECTOR or NAME[]=SELECTOR.")]
    [InlineData("=h1", "a name is 1 to 60 letters, digits, \".\", \"_\" and \"-\".")]
    [InlineData("[]=h1", "a name is 1 to 60 letters, digits, \".\", \"_\" and \"-\".")]
    [InlineData("a b=h1", "a name is 1 to 60 letters, digits, \".\", \"_\" and \"-\".")]
    [InlineData("x=", "at character 3 a CSS selector is missing.")]
    [InlineData("x=@href", "at character 3 a CSS selector is missing.")]
    [InlineData("x=div >", "at character 8 a CSS selector is missing.")]
    [InlineData("x=h1,", "at character 6 a CSS selector is missing.")]
    [InlineData("x=div[", "\"[\" at character 6 is no CSS selector.")]
    [InlineData("x=a, p:not(.b", "\"(.b\" at character 11 is no CSS selector.")]
    [InlineData("x=a[title=\"b]", "\"[title=\"b]\" at character 4 is no CSS selector.")]
    [InlineData("x=a)", "\")\" at character 4 is no CSS selector.")]
    [InlineData("x=a > > p", "\"> p\" at character 7 is no CSS selector.")]
    [InlineData("x=main .price p:", "\"p:\" at character 15 is no CSS selector.")]
    [InlineData("x=main ..price", "\"..price\" at character 8 is no CSS selector.")]
    [InlineData("x=a@", "\"a@\" at character 3 is no CSS selector.")]
    [InlineData("x=a@href b", "\"a@href b\" at character 3 is no CSS selector.")]
    [InlineData("x=p:no-such-thing", "\"p:no-such-thing\" at character 3 is no CSS selector.")]
    public void ASelectorThatCannotBeParsedIsRefusedAndItsPlaceNamed(string field, string why)
    {
        Assert.False(FieldSelector.TryParse(field, out _, out var said));
        Assert.Equal(why, said);
    }

    [Fact]
    public void FieldsOfOneNameAndMoreThanThereMayBeAreRefused()
    {
        Assert.Equal(["There are two fields \"x\"."], FieldSelector.Check(["x=a", "x[]=b"], out _));
        Assert.Equal(
            ["A crawl reads at most 50 fields; these are 51."],
            FieldSelector.Check([.. Enumerable.Range(0, 51).Select(i => $"f{i}=a")], out _)
        );
        Assert.Equal(
            [$"The field \"x={new string('a', 58)}…\" is refused: it has more than 1000 characters."],
            FieldSelector.Check(["x=" + new string('a', 1000)], out _)
        );
    }

    [Fact]
    public void AnAtSignWithinASelectorIsNoAttribute()
    {
        var page = "<a title=x@y class=\"a@b\">One</a>";

        Assert.Equal(["One"], Read(page, "x=a[title='x@y']").Fields[0].Values);
        Assert.Equal(["One"], Read(page, @"x=.a\@b").Fields[0].Values);
        Assert.Equal(["x@y"], Read(page, @"x=.a\@b@title").Fields[0].Values);
    }

    [Fact]
    public void AValueThatIsTooLongIsCutAndNamed()
    {
        var extract = Read($"<p title={new string('t', 20_000)}>{new string('a', 16 * 1024 - 1)}😀</p><b>b", "p=p", "t=p@title", "b=b");

        Assert.Equal([16 * 1024 - 1, 16 * 1024, 1], extract.Fields.Select(field => field.Values[0].Length));
        Assert.Equal(["fields.p", "fields.t"], extract.Cut);
    }

    [Fact]
    public void ValuesBeyondTheBoundOfAPageAreLeftOutAndTheFieldIsNamed()
    {
        var many = Read(string.Concat(Enumerable.Repeat("<i>1</i>", 1001)), "i[]=i", "first=i");
        var large = Read(string.Concat(Enumerable.Repeat($"<p>{new string('a', 10_000)}</p>", 5)) + "<b>b", "p[]=p", "b=b");

        Assert.Equal((1000, "fields.i"), (many.Fields[0].Values.Length, Assert.Single(many.Cut)));
        Assert.Equal([10_000, 10_000, 10_000, 2_768], large.Fields[0].Values.Select(value => value.Length));
        Assert.Empty(large.Fields[1].Values);
        Assert.Equal(["fields.p", "fields.b"], large.Cut);
    }

    [Fact]
    public void ElementsBeyondTheBoundAreNotLookedAtAndEveryFieldSaysSo()
    {
        var extract = Read($"<h1>Here</h1>{string.Concat(Enumerable.Repeat("<i>", 60_000))}<h2>Far", "near=h1", "far=h2");

        Assert.Equal(["Here"], extract.Fields[0].Values);
        Assert.Empty(extract.Fields[1].Values);
        Assert.Equal(["fields.near", "fields.far"], extract.Cut);
    }

    /// <summary>Who walks a tree that is as deep as its page is long overflows the stack, and the silo ends.</summary>
    [Fact]
    public void APageThatIsNestedWithoutEndIsRead() =>
        Assert.Equal(
            ["Deep"],
            Read(string.Concat(Enumerable.Repeat("<div>", 20_000)) + "<b>Deep", "b=b", "all=div:has(b)@id").Fields[0].Values
        );

    [Fact]
    public void TheTextIsInReadingOrderAndBounded()
    {
        var page = new CrawlSpec { Seeds = [], Text = true };

        Assert.Equal("Home\nList\nBlue & green chairs\n12 € each\nOne\ntwo\n9\u00a0€", ReadAs(page, Shop, "text/html").Text);
        var cut = ReadAs(page, "<p>" + new string('a', 40_000), "text/html");
        Assert.Equal((32 * 1024, "text"), (cut.Text!.Length, Assert.Single(cut.Cut)));
        Assert.Equal(" as it\n is ", ReadAs(page, " as it\n is ", "text/plain").Text);
        Assert.Null(ReadAs(page, "%PDF", "application/pdf").Text);
        Assert.Null(Read("text", "x=a").Text);
    }

    [Fact]
    public void WhatIsNoHtmlHasTheFieldsWithoutValues()
    {
        var extract = ReadAs(new() { Seeds = [], Fields = ["x=a", "y[]=b"] }, "<a>1</a>", "text/plain");

        Assert.Equal([("x", 0), ("y", 0)], extract.Fields.Select(field => (field.Name, field.Values.Length)));
        Assert.Empty(extract.Cut);
    }

    [Fact]
    public void WhatIsAskedForStandsForItself()
    {
        Assert.Null(PageExtractor.Of(new() { Seeds = [] }));
        Assert.Equal(Asked(["x=a"], false), Asked(["x=a"], false));
        Assert.NotEqual(Asked(["x=a"], false), Asked(["x=b"], false));
        Assert.NotEqual(Asked(["x=a"], false), Asked(["x=a"], true));

        static string Asked(ImmutableArray<string> fields, bool text) =>
            PageExtractor
                .Of(
                    new()
                    {
                        Seeds = [],
                        Fields = fields,
                        Text = text,
                    }
                )!
                .Asked;
    }

    private static PageExtract Read(string html, params string[] fields) =>
        ReadAs(new() { Seeds = [], Fields = [.. fields] }, html, "text/html");

    private static PageExtract ReadAs(CrawlSpec spec, string body, string type)
    {
        var isHtml = type == "text/html";
        return PageExtractor.Of(spec)!.Read(Encoding.UTF8.GetBytes(body), new(type, "utf-8"), isMarkup: isHtml, isCut: false);
    }
}
