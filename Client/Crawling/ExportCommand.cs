using System.CommandLine;
using Client.Values;
using Grains.Crawling.Exports;
using Grains.Interfaces.Crawling;

namespace Client.Crawling;

/// <summary><c>crawl export ID</c></summary>
internal sealed class ExportCommand
{
    private readonly Argument<string> _crawl = CrawlArgument.Create();

    private readonly Option<string?> _format = new("--format")
    {
        Description =
            "One JSON object a line, CSV by RFC 4180 with a header, Parquet, or the kept pages as a WARC 1.1 file. [default: by the "
            + "file's ending, else jsonl]",
        HelpName = "jsonl|csv|parquet|warc",
    };

    private readonly Option<string?> _out = new("--out")
    {
        Description = "Where to; it is there when it is whole, and replaces what was there. [default: standard output]",
        HelpName = "FILE",
    };
    private readonly Option<string?> _with = new("--with")
    {
        Description = "With jsonl, beside each record of a kept page: its body, or its text in reading order.",
        HelpName = "body|text",
    };

    private readonly Option<bool> _all = new("--all") { Description = "With the URLs that were skipped." };

    private ExportCommand()
    {
        _format.AcceptOnlyFromAmong("jsonl", "csv", "parquet", "warc");
        _with.AcceptOnlyFromAmong("body", "text");
    }

    public static Command Create(Verbs verbs)
    {
        var export = new ExportCommand();
        return verbs.Read(
            new("export", "What a crawl fetched, and what failed: one record per URL.")
            {
                export._crawl,
                export._format,
                export._out,
                export._with,
                export._all,
            },
            export.Run
        );
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var file = parsed.GetValue(_out);
        var format = parsed.GetValue(_format) ?? FormatOf(file);
        PageView? with = parsed.GetValue(_with) switch
        {
            "body" => PageView.Text,
            "text" => PageView.Reading,
            _ => null,
        };
        if (with is not null && format != "jsonl")
        {
            throw new ConsoleException($"--with goes with the format jsonl; this is {format}.", ExitCode.WrongUsage);
        }

        if (format == "warc" && file is null)
        {
            throw new ConsoleException("A WARC file is no text: say where it goes with --out FILE.", ExitCode.WrongUsage);
        }

        if (session.Json && file is null && format == "csv")
        {
            throw new ConsoleException("--json goes with the format jsonl, or with --out; this is csv.", ExitCode.WrongUsage);
        }

        var id = await session.Find(parsed.GetRequiredValue(_crawl), cancel);
        if (file is not null && format == "warc")
        {
            return await WriteArchive(session, id, file, cancel);
        }

        var spec = (await session.Show(id, cancel)).Spec;
        var form = format == "csv" ? PageForm.Csv(spec) : PageForm.JsonLines(spec);
        var kind = parsed.GetValue(_all) ? ExportKind.All : ExportKind.Fetched;
        if (format == "parquet")
        {
            return await WriteParquet(session, id, kind, spec, file, cancel);
        }

        var crawl = (await session.Cluster(cancel)).Crawl(id);
        if (file is null)
        {
            var written = await Write(
                crawl,
                kind,
                form,
                with,
                (line, end) => session.Terminal.Text(line + end),
                Progress(session, toOutput: true),
                cancel
            );
            session.Terminal.Flush();
            if (session.Json)
            {
                // Without it the records are cut off.
                session.Terminal.Json(new { end = new { count = written } });
            }

            return ExitCode.Done;
        }

        var records = await OutputFile.Write(file, writer => Write(
                crawl,
                kind,
                form,
                with,
                (line, end) =>
                {
                    writer.Write(line);
                    writer.Write(end);
                },
                Progress(session, toOutput: false),
                cancel
            ));
        return Written(session, id, file, records);
    }

    private static int Written(Session session, CrawlId id, string file, long records)
    {
        session.Tell(
            new
            {
                id = id.ToString(),
                file = Path.GetFullPath(file),
                records,
            },
            $"{Counts.Of(records, "record", "records")} written to {file}."
        );

        return ExitCode.Done;
    }

    private static async Task<int> WriteParquet(
        Session session,
        CrawlId id,
        ExportKind kind,
        CrawlSpec spec,
        string? file,
        CancellationToken cancel
    )
    {
        if (file is null)
        {
            throw new ConsoleException("A Parquet file is no text: say where it goes with --out FILE.", ExitCode.WrongUsage);
        }

        var crawl = (await session.Cluster(cancel)).Crawl(id);
        var progress = Progress(session, toOutput: false);
        var records = await OutputFile.WriteBytes(file, async stream =>
        {
            await using var output = await PageParquet.Create(stream, spec, cancel);
            var (written, cursor) = (0L, (string?)null);
            do
            {
                var page = await crawl.Export(cursor, kind, cancel);
                await output.Add(page.Records, cancel);
                (written, cursor) = (written + page.Records.Length, page.Cursor);
                progress(written);
            } while (cursor is not null);
            await output.Complete(cancel);
            return written;
        });
        return Written(session, id, file, records);
    }

    private static string FormatOf(string? file) =>
        file is null ? "jsonl"
        : file.EndsWith(".csv", StringComparison.Ordinal) ? "csv"
        : file.EndsWith(".parquet", StringComparison.Ordinal) ? "parquet"
        : file.EndsWith(".warc.gz", StringComparison.Ordinal) || file.EndsWith(".warc", StringComparison.Ordinal) ? "warc"
        : "jsonl";

    private static async Task<int> WriteArchive(Session session, CrawlId id, string file, CancellationToken cancel)
    {
        var crawl = (await session.Cluster(cancel)).Crawl(id);
        var (pages, missing) = await OutputFile.WriteBytes(file, async stream =>
        {
            var (read, lost) = (0L, 0L);
            string? cursor = null;
            do
            {
                var part = await crawl.Archive(cursor, cancel);
                await stream.WriteAsync(part.Bytes, cancel);
                (read, lost, cursor) = (read + part.Pages, lost + part.Missing, part.Cursor);
            } while (cursor is not null);
            return (read, lost);
        });
        session.Tell(
            new
            {
                id = id.ToString(),
                file = Path.GetFullPath(file),
                pages,
                missing,
            },
            missing == 0
                ? $"{Counts.Of(pages, "page", "pages")} written to {file}."
                : $"{Counts.Of(pages, "page", "pages")} written to {file}; {Counts.Format(missing)} were kept and cannot be read."
        );

        return missing == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    /// <summary>Every record of the crawl, page by page; the answer is how many there were.</summary>
    internal static async Task<long> Write(
        ICrawlGrain crawl,
        ExportKind kind,
        PageForm form,
        PageView? with,
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
                var content = with is { } view && record.Kept is not null ? await crawl.WholePage(record.Url, view, cancel) : null;
                write(form.Line(record, content), form.LineEnd);
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
        if (!session.ShowsProgress || (terminal.OutputIsTerminal && toOutput))
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
