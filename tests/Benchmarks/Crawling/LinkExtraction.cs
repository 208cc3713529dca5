using System.Buffers;
using System.CommandLine;
using System.Diagnostics;
using System.Text;
using AngleSharp.Common;
using AngleSharp.Html;
using AngleSharp.Html.Parser;
using AngleSharp.Text;
using Doubles;
using Grains.Crawling.Pages;
using Grains.Crawling.Urls;

namespace Benchmarks.Crawling;

/// <summary>
/// What it costs to find the 50 links of a page of 15 KB, on one core: AngleSharp's tokenizers with all that they may skip switched off,
/// and the scanner of
/// <c>Grains/Crawling/Pages</c>. Every row starts from the bytes and ends with 50 strings. The ways take turns within a round, so that a
/// noisy machine hits all alike.
/// </summary>
internal static class LinkExtraction
{
    private const int Rounds = 31;

    // Until the runtime has compiled everything with what it learned.
    private const int RoundsBefore = 10;
    private const int PagesPerRound = 200;

    public static Command Command()
    {
        var command = new Command("links", "Finding the links of a page: ways that are at hand beside the one that is used.");
        command.SetAction(_ => Run());
        return command;
    }

    private static int Run()
    {
        var site = new BigSite(20_000);
        var pages = Enumerable
            .Range(0, site.Pages)
            .Where(page => HasDistinctLinks(site, page))
            .Take(PagesPerRound)
            .Select(site.Page)
            .ToArray();
        var html = ContentType.Parse("text/html");
        CanonicalUrl.TryParse("http://127.0.0.1:8000/", null, out var root);
        (string Name, Func<byte[], int> Links)[] ways =
        [
            ("AngleSharp tree", ByTree),
            ("AngleSharp tokenizer", ByTokens),
            ("AngleSharp struct tokens", ByStructTokens),
            ("HtmlScanner", ByScanner),
            ("PageReferences: title, base, wishes, each text once", ByReferences),
            ("PageParser: canonical URLs too", page => PageParser
                    .Parse(
                        new()
                        {
                            Status = 200,
                            ContentType = html,
                            Body = page,
                        },
                        root!
                    )
                    .Links.Length),
        ];
        var best = ways.ToDictionary(way => way.Name, _ => (Time: double.MaxValue, Bytes: 0L));
        var all = ways.ToDictionary(way => way.Name, _ => new List<double>());
        for (var round = -RoundsBefore; round < Rounds; round++)
        {
            foreach (var (name, links) in ways)
            {
                var bytes = GC.GetAllocatedBytesForCurrentThread();
                var start = Stopwatch.GetTimestamp();
                foreach (var page in pages)
                {
                    if (links(page) != BigSite.LinksPerPage)
                    {
                        throw new InvalidOperationException($"{name} does not find the {BigSite.LinksPerPage} links of a page.");
                    }
                }

                var time = Stopwatch.GetElapsedTime(start).TotalMicroseconds / pages.Length;
                if (round < 0)
                {
                    continue;
                }

                all[name].Add(time);
                best[name] = (Math.Min(best[name].Time, time), (GC.GetAllocatedBytesForCurrentThread() - bytes) / pages.Length);
            }
        }

        Console.WriteLine($"{BigSite.PageBytes} bytes, {BigSite.LinksPerPage} links, {Rounds} rounds of {PagesPerRound} pages");
        Console.WriteLine("| way | µs/page, median | µs/page, best | bytes allocated |");
        Console.WriteLine("|---|---|---|---|");
        foreach (var (name, (time, bytes)) in best)
        {
            Console.WriteLine($"| {name} | {all[name].Order().ElementAt(Rounds / 2):F1} | {time:F1} | {bytes:N0} |");
        }

        return 0;
    }

    private static bool HasDistinctLinks(BigSite site, int page) =>
        Enumerable.Range(0, BigSite.LinksPerPage).Select(index => site.Link(page, index)).Distinct().Count() == BigSite.LinksPerPage;

    private static int ByTree(byte[] page)
    {
        using var document = new HtmlParser().ParseDocument(Encoding.UTF8.GetString(page));
        return document.QuerySelectorAll("a").Select(link => link.GetAttribute("href")).ToList().Count;
    }

    private static int ByTokens(byte[] page)
    {
        using var source = new TextSource(Encoding.UTF8.GetString(page));
        using var tokenizer = new HtmlTokenizer(source, HtmlEntityProvider.Resolver) { DisableElementPositionTracking = true };
        SkipAll(tokenizer);
        var links = new List<string>();
        while (true)
        {
            var token = tokenizer.Get();
            if (token.Type == HtmlTokenType.EndOfFile)
            {
                return links.Count;
            }

            if (token.Type == HtmlTokenType.StartTag)
            {
                tokenizer.State = StateAfter(token.Name);
                if (token.Name == "a")
                {
                    links.Add(token.AsTag().GetAttribute("href"));
                }
            }
        }
    }

    private static int ByStructTokens(byte[] page)
    {
        using var source = new TextSource(Encoding.UTF8.GetString(page));
        using var tokenizer = new HtmlTokenizer(source, HtmlEntityProvider.ResolverExtended) { DisableElementPositionTracking = true };
        SkipAll(tokenizer);
        tokenizer.ShouldEmitAttribute = static (ref token, name) => name.Length == 4 && token.Name.Length == 1;
        var links = new List<string>();
        while (true)
        {
            ref var token = ref tokenizer.GetStructToken();
            if (token.Type == HtmlTokenType.EndOfFile)
            {
                return links.Count;
            }

            if (token.Type == HtmlTokenType.StartTag)
            {
                tokenizer.State = StateAfter(token.Name.Memory.Span);
                if (token.Name.Length == 1 && token.Name.Memory.Span[0] == 'a')
                {
                    links.Add(token.GetAttribute(new StringOrMemory("href")).ToString());
                }
            }
        }
    }

    private static int ByScanner(byte[] page)
    {
        Span<HtmlScanner.Attribute> attributes = stackalloc HtmlScanner.Attribute[HtmlScanner.MaxAttributes];
        var room = ArrayPool<char>.Shared.Rent(page.Length);
        var html = room.AsSpan(0, Encoding.UTF8.GetChars(page, room));
        var scanner = new HtmlScanner(html, attributes);
        var links = new List<string>();
        while (true)
        {
            var kind = scanner.Read();
            if (kind == HtmlTokenKind.End)
            {
                ArrayPool<char>.Shared.Return(room);
                return links.Count;
            }

            if (kind == HtmlTokenKind.StartTag && scanner.Is("a") && scanner.TryGet("href", out var href))
            {
                links.Add(CharacterReferences.InAttribute(href));
            }
        }
    }

    private static int ByReferences(byte[] page)
    {
        var room = ArrayPool<char>.Shared.Rent(page.Length);
        var references = new PageReferences(productToken: null);
        references.Read(room.AsSpan(0, Encoding.UTF8.GetChars(page, room)));
        ArrayPool<char>.Shared.Return(room);
        return references.All.Count;
    }

    private static void SkipAll(HtmlTokenizer tokenizer)
    {
        tokenizer.SkipCDATA = true;
        tokenizer.SkipComments = true;
        tokenizer.SkipDataText = true;
        tokenizer.SkipPlaintext = true;
        tokenizer.SkipProcessingInstructions = true;
        tokenizer.SkipRawText = true;
        tokenizer.SkipRCDataText = true;
        tokenizer.SkipScriptText = true;
    }

    private static HtmlParseMode StateAfter(ReadOnlySpan<char> name) =>
        name switch
        {
            "title" or "textarea" => HtmlParseMode.RCData,
            "style" or "xmp" or "iframe" or "noembed" or "noframes" => HtmlParseMode.Rawtext,
            "script" => HtmlParseMode.Script,
            "plaintext" => HtmlParseMode.Plaintext,
            _ => HtmlParseMode.PCData,
        };
}
