using System.CommandLine;
using System.Text;
using Grains.Interfaces.Crawling;

namespace Client.Crawling;

/// <summary><c>crawl page ID URL</c></summary>
internal sealed class PageCommand
{
    private readonly Argument<string> _crawl = CrawlArgument.Create();

    private readonly Argument<string> _url = new("URL") { Description = "The URL of a page that the crawl kept." };

    private readonly Option<bool> _text = new("--text") { Description = "Of HTML, the text in reading order." };

    private readonly Option<bool> _headers = new("--headers") { Description = "Before the body, the status line and header fields." };

    private readonly Option<string?> _out = new("--out")
    {
        Description = "Where to, byte for byte; needed for what is no text. [default: standard output, in UTF-8]",
        HelpName = "FILE",
    };

    private PageCommand() { }

    public static Command Create(Verbs verbs)
    {
        var page = new PageCommand();
        return verbs.Act(
            new("page", "Print what was fetched from a URL.") { page._crawl, page._url, page._text, page._headers, page._out },
            page.Run
        );
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var id = await session.Find(parsed.GetRequiredValue(_crawl), cancel);
        var file = parsed.GetValue(_out);
        var view =
            parsed.GetValue(_text) ? PageView.Reading
            : file is null ? PageView.Text
            : PageView.Body;
        var url = parsed.GetRequiredValue(_url);
        var page = await (await session.Cluster(cancel)).Crawl(id).WholePage(url, view, cancel);
        if (page.Why is { } why)
        {
            throw new ConsoleException(why);
        }

        if (session.Json && file is null)
        {
            var form = PageForm.JsonLines((await session.Show(id, cancel)).Spec);
            session.Terminal.Text(form.Line(page.Page!, page) + form.LineEnd);
            session.Terminal.Flush();
            return ExitCode.Done;
        }

        var head = parsed.GetValue(_headers) ? page.Head + "\r\n\r\n" : "";
        if (file is not null)
        {
            await OutputFile.WriteBytes(file, async stream =>
            {
                await stream.WriteAsync(Encoding.Latin1.GetBytes(head), cancel);
                await stream.WriteAsync(page.Body, cancel);
                return page.Body.Length;
            });
            if (session.Json)
            {
                session.Terminal.Json(
                    new
                    {
                        id = id.ToString(),
                        url,
                        file = Path.GetFullPath(file),
                        bytes = page.Body.Length,
                    }
                );
            }
        }
        else if (page.IsText || page.Body.Length == 0)
        {
            session.Terminal.Text(head + Encoding.UTF8.GetString(page.Body));
            session.Terminal.Flush();
        }
        else
        {
            throw new ConsoleException(
                $"{url} is {page.Page?.ContentType ?? "no text"}: say where it goes with --out FILE.",
                ExitCode.WrongUsage
            );
        }

        return ExitCode.Done;
    }
}
