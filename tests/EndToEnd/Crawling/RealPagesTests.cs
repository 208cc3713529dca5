using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;
using Xunit;

namespace EndToEnd.Crawling;

/// <summary>
/// Some five hundred pages that were made for people and not for a test: Debian's documentation of Python behind a server of static files.
/// What is kept, read out of pages and asked for again is held against the files themselves and against foreign programs. <c>.ci/long</c>
/// runs it: the folder is <c>REAL_PAGES</c>, or where the package <c>python3-doc</c> puts it.
/// </summary>
[Trait(Campaign.Kind, "RealPages")]
public sealed class RealPagesTests : IAsyncLifetime
{
    private const string Installed = "/usr/share/doc/python3/html";

    /// <summary>What is read of each page, by name: selector, attribute or none, each match or the first.</summary>
    private static readonly (string Name, string Selector, string? Attribute, bool All)[] Fields =
    [
        ("title", "title", null, false),
        ("heading", "h1", null, false),
        ("sections", "section > h2", null, true),
        ("signatures", "dl.function > dt", null, true),
        ("links", "a.reference.internal:not([href^='#'])", "href", true),
        ("crumbs", "div.related ul > li:nth-child(3)", null, false),
        ("cells", "table.docutils td:first-child p", null, true),
        ("generator", "meta[name=generator]", "content", false),
    ];

    private readonly string _folder = Unique.Folder("real-pages");
    private readonly string _file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".warc.gz");
    private StaticSite _site = null!;
    private Crawler _crawler = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var pages = Environment.GetEnvironmentVariable("REAL_PAGES") ?? Installed;
        Assert.True(
            File.Exists(Path.Combine(pages, "index.html")),
            $"{pages} has no index.html: install python3-doc, or set REAL_PAGES to the folder html of such a package."
        );
        foreach (var file in Directory.EnumerateFiles(pages, "*", SearchOption.AllDirectories))
        {
            if (File.ResolveLinkTarget(file, returnFinalTarget: true) is { Exists: false })
            {
                continue; // A link into a package that is not installed.
            }

            var copy = Path.Combine(_folder, Path.GetRelativePath(pages, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
            File.SetLastWriteTimeUtc(copy, new(2026, 11, 1, 0, 0, 0, DateTimeKind.Utc));
        }

        _site = await StaticSite.Start(_folder);
        _crawler = await Crawler.Run();
    }

    public async ValueTask DisposeAsync()
    {
        await _crawler.DisposeAsync();
        await _site.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        File.Delete(_file);
    }

    [Fact]
    public async Task WhatIsKeptAndReadIsWhatTheFilesHaveAndASecondRoundFetchesOnlyWhatWasTouched()
    {
        var first = await Crawled();
        var kept = await EachPayloadIsItsFile(first);
        await EachFieldIsWhatAForeignReaderFinds(first);

        string[] touched = ["index.html", "library/functions.html", "tutorial/index.html"];
        foreach (var page in touched)
        {
            await File.AppendAllTextAsync(Path.Combine(_folder, page), "<!-- touched -->\n", Cancel);
        }

        _site.Answers.Clear();
        var second = await Crawled("--revisit", first);
        var answered = _site.Answers.ToLookup(answer => answer.Status, answer => answer.Path);
        Assert.Equal(touched.Select(page => "/" + page).Order(StringComparer.Ordinal), answered[200].Order(StringComparer.Ordinal));
        Assert.DoesNotContain(answered, status => status.Key is not (200 or 304 or 404));

        // A page that is not there is not there again, and has no ETag.
        var changes = (await _crawler.Export(second))
            .Where(record => record.GetProperty("status").GetInt32() != 404)
            .CountBy(record => record.GetProperty("change").GetString() ?? "")
            .ToDictionary();
        Assert.Equal(touched.Length, changes["changed"]);
        Assert.Equal(answered[304].Count(), changes["unchanged"]);
        Say($"the second round: {answered[304].Count()} were answered with 304, {touched.Length} were fetched");
        Assert.Equal(touched.Length, await EachPayloadIsItsFile(second, revisited: kept - touched.Length));
        await EachFieldIsWhatAForeignReaderFinds(second);
    }

    /// <summary>The id of a crawl of the site, at its end.</summary>
    private async Task<string> Crawled(params string[] more)
    {
        var asked = Fields.SelectMany(field =>
            (string[])
                [
                    "--field",
                    $"{field.Name}{(field.All ? "[]" : "")}={field.Selector}{(field.Attribute is null ? "" : "@" + field.Attribute)}",
                ]
        );
        var id = await _crawler.StartCrawl(
            _site.Origin + "/index.html",
            ["--delay", "0", "--concurrency", "8", "--max-pages", "5000", .. asked, .. more]
        );
        await _crawler.FollowToEnd(id, ExitCode.Done);
        return id;
    }

    /// <returns>How many pages were kept with their content.</returns>
    /// <param name="revisited">How many are kept as a record of a revisit.</param>
    private async Task<int> EachPayloadIsItsFile(string id, int revisited = 0)
    {
        File.Delete(_file);
        await _crawler.Ask("crawl", "export", id, "--out", _file);
        var records = await NodeModules.Read("warcio", [_file], "", Cancel);
        var pages = records.Where(record => Text(record, "type") == "response" && record.GetProperty("status").GetInt32() == 200).ToList();
        Assert.True(pages.Count + revisited >= 500, $"There are {pages.Count} pages, and {revisited} revisits.");
        Assert.Equal(revisited, records.Count(record => Text(record, "type") == "revisit"));
        foreach (var page in pages)
        {
            var bytes = await File.ReadAllBytesAsync(FileOf(Text(page, "url")), Cancel);
            Assert.Equal(
                (Text(page, "url"), bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes))),
                (Text(page, "url"), page.GetProperty("bytes").GetInt32(), Text(page, "sha256"))
            );
        }

        Say($"{pages.Count} payloads are their files");
        return pages.Count;
    }

    private async Task EachFieldIsWhatAForeignReaderFinds(string id)
    {
        var selectors = new JsonObject(
            Fields.Select(field =>
                KeyValuePair.Create<string, JsonNode?>(
                    field.Name,
                    new JsonObject
                    {
                        ["selector"] = field.Selector,
                        ["attribute"] = field.Attribute,
                        ["all"] = field.All,
                    }
                )
            )
        ).ToJsonString();
        var records = (await _crawler.Export(id))
            .Where(record => record.TryGetProperty("fields", out var fields) && fields.ValueKind == JsonValueKind.Object)
            .Where(record =>
                Text(record, "url").EndsWith(".html", StringComparison.Ordinal) && record.GetProperty("status").GetInt32() != 404
            )
            .ToList();
        Assert.True(records.Count >= 500, $"There are {records.Count} records with fields.");
        var asked = string.Concat(
            records.Select(record =>
                $$"""{"file":{{JsonSerializer.Serialize(FileOf(Text(record, "url")))}},"fields":{{selectors}}}""" + "\n"
            )
        );
        var foreign = await NodeModules.Read("cheerio", [], asked, Cancel);
        Assert.Equal(records.Count, foreign.Count);
        var (same, cut) = (0, 0);
        foreach (var (ours, theirs) in records.Zip(foreign))
        {
            var left = ours.TryGetProperty("cut", out var names) ? names.ToString() : "";
            foreach (var (name, _, _, _) in Fields)
            {
                if (left.Contains($"fields.{name}", StringComparison.Ordinal))
                {
                    cut++;
                    continue;
                }

                Assert.True(
                    JsonElement.DeepEquals(ours.GetProperty("fields").GetProperty(name), theirs.GetProperty("fields").GetProperty(name)),
                    $"{name} of {Text(ours, "url")}: {ours.GetProperty("fields").GetProperty(name)} and, read by another, "
                        + $"{theirs.GetProperty("fields").GetProperty(name)}"
                );
                same++;
            }
        }

        Assert.True(cut * 20 < same, $"{cut} fields were cut, and {same} were not.");
        Say($"{same} fields of {records.Count} pages are what another reader finds; {cut} were cut and not compared");
    }

    private string FileOf(string url) => Path.Combine(_folder, Uri.UnescapeDataString(new Uri(url).AbsolutePath)[1..]);

    private static string Text(JsonElement from, string name) => from.GetProperty(name).GetString()!;

    private static void Say(string text) => TestContext.Current.TestOutputHelper?.WriteLine(text);

    /// <summary>A server of the files of a folder, with ETag and Last-Modified, that counts what it answers.</summary>
    private sealed class StaticSite : IAsyncDisposable
    {
        private readonly WebApplication _server;

        private StaticSite(string folder)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
            _server = builder.Build();
            _server.Use(
                async (context, next) =>
                {
                    await next(context);
                    Answers.Add((context.Request.Path.Value!, context.Response.StatusCode));
                }
            );
            _server.UseStaticFiles(new StaticFileOptions { FileProvider = new PhysicalFileProvider(folder), ServeUnknownFileTypes = true });
        }

        public ConcurrentBag<(string Path, int Status)> Answers { get; } = [];

        public string Origin { get; private set; } = "";

        public static async Task<StaticSite> Start(string folder)
        {
            var site = new StaticSite(folder);
            await site._server.StartAsync(Cancel);
            site.Origin = site._server.Urls.Single();
            return site;
        }

        public ValueTask DisposeAsync() => _server.DisposeAsync();
    }
}
