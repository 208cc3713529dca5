using System.CommandLine;
using Client.Values;
using Grains.Interfaces.Crawling;

namespace Client.Crawling;

/// <summary><c>crawl export ID</c></summary>
internal sealed class ExportCommand
{
    private readonly Argument<string> _crawl = CrawlArgument.Create();

    private readonly Option<string?> _format = new("--format")
    {
        Description = "One JSON object a line, or CSV by RFC 4180 with a header. [default: by the file's ending, else jsonl]",
        HelpName = "jsonl|csv",
    };

    private readonly Option<string?> _out = new("--out")
    {
        Description = "Where to; it is there when it is whole, and replaces what was there. [default: standard output]",
        HelpName = "FILE",
    };
    private readonly Option<bool> _all = new("--all") { Description = "With the URLs that were skipped." };

    private ExportCommand() => _format.AcceptOnlyFromAmong("jsonl", "csv");

    public static Command Create(Verbs verbs)
    {
        var export = new ExportCommand();
        return verbs.Act(
            new("export", "What a crawl fetched, and what failed: one record per URL.")
            {
                export._crawl,
                export._format,
                export._out,
                export._all,
            },
            export.Run
        );
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var id = await session.Find(parsed.GetRequiredValue(_crawl), cancel);
        var file = parsed.GetValue(_out);
        var form = (parsed.GetValue(_format) ?? Path.GetExtension(file)?.TrimStart('.')) == "csv" ? PageForm.Csv : PageForm.JsonLines;
        var kind = parsed.GetValue(_all) ? ExportKind.All : ExportKind.Fetched;
        var crawl = (await session.Cluster(cancel)).Crawl(id);
        if (file is null)
        {
            await Write(crawl, kind, form, (line, end) => session.Terminal.Text(line + end), Progress(session, toOutput: true), cancel);
            session.Terminal.Flush();
            return ExitCode.Done;
        }

        var records = await OutputFile.Write(file, writer => Write(
                crawl,
                kind,
                form,
                (line, end) =>
                {
                    writer.Write(line);
                    writer.Write(end);
                },
                Progress(session, toOutput: false),
                cancel
            ));
        if (session.Json)
        {
            session.Terminal.Json(
                new
                {
                    id = id.ToString(),
                    file = Path.GetFullPath(file),
                    records,
                }
            );
        }
        else
        {
            session.Terminal.Line($"{Counts.Of(records, "record", "records")} written to {file}.");
        }

        return ExitCode.Done;
    }

    /// <summary>Every record of the crawl, page by page; the answer is how many there were.</summary>
    internal static async Task<long> Write(
        ICrawlGrain crawl,
        ExportKind kind,
        PageForm form,
        Action<string, string> write,
        Action<long> progress,
        CancellationToken cancel
    )
    {
        if (form.Header is { } header)
        {
            write(header, form.LineEnd);
        }

        long records = 0;
        string? cursor = null;
        do
        {
            var page = await crawl.Export(cursor, kind, cancel);
            foreach (var record in page.Records)
            {
                write(form.Line(record), form.LineEnd);
            }

            records += page.Records.Length;
            cursor = page.Cursor;
            progress(records);
        } while (cursor is not null);

        return records;
    }

    /// <summary>A line on the error output that counts, when a person looks there and the records go elsewhere.</summary>
    private static Action<long> Progress(Session session, bool toOutput)
    {
        var terminal = session.Terminal;
        if (!terminal.ErrorIsTerminal || terminal.OutputIsTerminal && toOutput || session.Json)
        {
            return _ => { };
        }

        return records =>
        {
            terminal.Error.Write($"\r{Counts.Of(records, "record", "records")}\r");
            terminal.Error.Flush();
        };
    }
}
