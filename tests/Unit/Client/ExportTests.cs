using System.Collections.Immutable;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Client;

public sealed class ExportTests : IDisposable
{
    private static readonly PageRecord Page = new(
        "http://a.example/x?q=1,2",
        200,
        1,
        "http://a.example/",
        "text/html",
        "Grüße & \"more\"",
        1234,
        "sha256:00ff",
        5,
        new(2026, 3, 1, 12, 0, 0, 250, TimeSpan.Zero),
        42,
        2,
        null,
        false,
        null,
        ImmutableSortedDictionary<string, long>.Empty.Add("nofollow", 1).Add("max-depth", 2)
    )
    {
        Protocol = "h2",
    };

    private static readonly PageRecord Failed = new(
        "http://a.example/gone",
        null,
        2,
        "http://a.example/x",
        null,
        null,
        0,
        null,
        0,
        new(2026, 3, 1, 12, 0, 1, TimeSpan.Zero),
        3000,
        3,
        "http://a.example/",
        true,
        "No answer within 3 s."
    );

    private const string PageJson =
        """{"url":"http://a.example/x?q=1,2","status":200,"depth":1,"parent":"http://a.example/","contentType":"text/html","title":"Grüße & \"more\"","bytes":1234,"digest":"sha256:00ff","links":5,"fetchedAt":"2026-03-01T12:00:00.250Z","elapsedMs":42,"error":null,"attempts":2,"location":null,"truncated":false,"leftOut":{"max-depth":2,"nofollow":1},"kept":false,"change":null,"protocol":"h2"}""";

    private const string FailedJson =
        """{"url":"http://a.example/gone","status":null,"depth":2,"parent":"http://a.example/x","contentType":null,"title":null,"bytes":0,"digest":null,"links":0,"fetchedAt":null,"elapsedMs":3000,"error":"No answer within 3 s.","attempts":3,"location":"http://a.example/","truncated":true,"leftOut":{},"kept":false,"change":null,"protocol":null}""";

    private readonly ConsoleInMemory _console = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("export-").FullName;

    public static TheoryData<string, string> CsvFields() => new(DataRows.Read("csv-fields.tsv"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task ItWalksTheCursorToItsEnd()
    {
        var crawl = Crawl([Page], [], [Failed]);

        var printed = await _console.Run("crawl", "export", "shop");

        Assert.Equal((ExitCode.Done, $"{PageJson}\n{FailedJson}\n"), (printed.Code, printed.Output));
        Assert.Equal(["export - Fetched", "export 1 Fetched", "export 2 Fetched"], crawl.Controls);
    }

    [Fact]
    public async Task AllAsksForTheSkippedToo()
    {
        var crawl = Crawl([Page]);

        await _console.Run("crawl", "export", "shop", "--all");

        Assert.Equal(["export - All"], crawl.Controls);
    }

    [Fact]
    public async Task CsvHasAHeaderAndEndsItsLinesWithCrLf()
    {
        Crawl([Page, Failed]);

        var printed = await _console.Run("crawl", "export", "shop", "--format", "csv");

        Assert.Equal(
            "url,status,depth,parent,contentType,title,bytes,digest,links,fetchedAt,elapsedMs,error,attempts,location,truncated,leftOut,kept,change,protocol\r\n"
                + "\"http://a.example/x?q=1,2\",200,1,http://a.example/,text/html,\"Grüße & "
                + "\"\"more\"\"\",1234,sha256:00ff,5,2026-03-01T12:00:00.250Z,42,,2,,false,max-depth=2 nofollow=1,false,,h2\r\n"
                + "http://a.example/gone,,2,http://a.example/x,,,0,,0,,3000,No answer within 3 s.,3,http://a.example/,true,,false,,\r\n",
            printed.Output
        );
    }

    [Fact]
    public void WhatWasReadOutOfPagesStandsBehindTheOtherMembers()
    {
        var spec = new CrawlSpec
        {
            Seeds = [],
            Fields = ["title=h1", "links[]=a@href"],
            Text = true,
        };
        var read = Page with
        {
            Extract = new()
            {
                Asked = "",
                Fields = [new("title", ["One, \"two\""]), new("links", ["/a", "/b"])],
                Text = "a\nb",
                Cut = ["text"],
            },
        };

        Assert.EndsWith(
            ""","change":null,"protocol":"h2","fields":{"title":"One, \"two\"","links":["/a","/b"]},"text":"a\nb","cut":["text"]}""",
            PageForm.JsonLines(spec).Line(read),
            StringComparison.Ordinal
        );
        Assert.EndsWith(
            ""","change":null,"protocol":null,"fields":{"title":null,"links":[]},"text":null,"cut":[]}""",
            PageForm.JsonLines(spec).Line(Failed),
            StringComparison.Ordinal
        );
        Assert.EndsWith(",change,protocol,fields.title,fields.links,text,cut", PageForm.Csv(spec).Header, StringComparison.Ordinal);
        Assert.EndsWith(
            ",false,,h2,\"One, \"\"two\"\"\",\"[\"\"/a\"\",\"\"/b\"\"]\",\"a\nb\",text",
            PageForm.Csv(spec).Line(read),
            StringComparison.Ordinal
        );
        Assert.EndsWith(",false,,,,[],,", PageForm.Csv(spec).Line(Failed), StringComparison.Ordinal);
    }

    /// <summary>Read by DuckDB, which shares no code with the writer.</summary>
    [Fact]
    public async Task AParquetFileHasTheColumnsOfTheCsvWithTheirTypes()
    {
        var read = Page with
        {
            Extract = new()
            {
                Asked = "",
                Fields = [new("price", ["12 €"]), new("links", ["/a", "/b"])],
                Text = "One\ntwo",
                Cut = ["text"],
            },
        };
        var crawl = ConsoleInMemory.Crawl();
        var kept = _console.Keep(crawl with { Spec = crawl.Spec with { Fields = ["price=.p", "links[]=a@href"], Text = true } });
        kept.ExportPages.AddRange([
            [read],
            [Failed],
        ]);
        var file = Path.Combine(_folder, "pages.parquet");

        var printed = await _console.Run("crawl", "export", "shop", "--out", file);

        Assert.Equal((ExitCode.Done, $"2 records written to {file}.\n"), (printed.Code, printed.Output));
        Assert.Equal(
            [
                "http://a.example/x?q=1,2|200|Grüße & \"more\"|1234|true|false|max-depth=2 nofollow=1|h2|12 €|[\"/a\",\"/b\"]|One\ntwo|text",
                "http://a.example/gone|-|-|0|-|true||-|-|[]|-|",
            ],
            await Query(
                $"""
                SELECT concat_ws('|', url, coalesce(status::VARCHAR, '-'), coalesce(title, '-'), bytes,
                    coalesce((fetchedAt = TIMESTAMP '2026-03-01 12:00:00.25')::VARCHAR, '-'), truncated, leftOut,
                    coalesce(protocol, '-'), coalesce("fields.price", '-'), "fields.links", coalesce("text", '-'), cut)
                FROM '{file}' ORDER BY depth
                """
            )
        );
        Assert.Equal(
            ["url VARCHAR", "status INTEGER", "bytes BIGINT", "fetchedAt TIMESTAMP", "kept BOOLEAN"],
            await Query(
                $"""
                SELECT concat_ws(' ', column_name, column_type) FROM (DESCRIBE SELECT url, status, bytes, fetchedAt, kept FROM '{file}')
                """
            )
        );
    }

    [Fact]
    public async Task AParquetFileGoesToAFileOnly()
    {
        Crawl([Page]);

        var printed = await _console.Run("crawl", "export", "shop", "--format", "parquet");

        Assert.Equal(
            (ExitCode.WrongUsage, "A Parquet file is no text: say where it goes with --out FILE.\n"),
            (printed.Code, printed.Error)
        );
    }

    private static async Task<List<string>> Query(string sql)
    {
        await using var database = new DuckDB.NET.Data.DuckDBConnection("DataSource=:memory:");
        await database.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = database.CreateCommand();
        command.CommandText = sql;
        var rows = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            rows.Add(reader.GetString(0));
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(CsvFields))]
    public void ACsvFieldIsQuotedWhereItMustBe(string title, string field)
    {
        var line = PageForm.Csv(new() { Seeds = [] }).Line(Page with { Url = "u", Title = Unescape(title) });

        Assert.Equal(
            $"u,200,1,http://a.example/,text/html,{Unescape(field)},1234,sha256:00ff,5,2026-03-01T12:00:00.250Z,42,,2,,false,max-depth=2 nofollow=1,false,,h2",
            line
        );
    }

    [Fact]
    public async Task AFileIsWholeOrAsItWasBefore()
    {
        var crawl = Crawl([Page], [Failed]);
        var file = Path.Combine(_folder, "pages.jsonl");

        var printed = await _console.Run("crawl", "export", "shop", "--out", file);

        Assert.Equal((ExitCode.Done, $"2 records written to {file}.\n"), (printed.Code, printed.Output));
        Assert.Equal($"{PageJson}\n{FailedJson}\n", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));

        crawl.ExportPages[1] = null!;
        Assert.Equal(ExitCode.Failed, (await _console.Run("crawl", "export", "shop", "--out", file)).Code);

        Assert.Equal($"{PageJson}\n{FailedJson}\n", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        Assert.Equal([file], Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task TheFilesEndingChoosesTheFormAndProgramsGetAReport()
    {
        Crawl([Page]);
        var file = Path.Combine(_folder, "pages.csv");

        var printed = await _console.Run("crawl", "export", "shop", "--out", file, "--json");

        Assert.Equal($$"""{"id":"abcdefghi0","file":"{{file}}","records":1}""" + "\n", printed.Output);
        Assert.StartsWith(
            "url,status,",
            await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task AFileThatCannotBeWrittenIsASentence()
    {
        Crawl([Page]);
        var file = Path.Combine(_folder, "no", "such", "folder", "pages.csv");

        var printed = await _console.Run("crawl", "export", "shop", "--out", file);

        Assert.Equal(ExitCode.Failed, printed.Code);
        Assert.StartsWith($"\"{file}\" cannot be written: ", printed.Error, StringComparison.Ordinal);
    }

    private CrawlInMemory Crawl(params PageRecord[][] pages)
    {
        var crawl = _console.Keep(ConsoleInMemory.Crawl());
        crawl.ExportPages.AddRange(pages);
        return crawl;
    }

    private static string Unescape(string text) =>
        text.Replace("\\r", "\r", StringComparison.Ordinal)
            .Replace("\\n", "\n", StringComparison.Ordinal)
            .Replace("\\t", "\t", StringComparison.Ordinal);
}
