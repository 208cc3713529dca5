using System.CommandLine;

namespace Client.Crawling;

/// <summary><c>crawl explain ID URL</c></summary>
internal static class ExplainCommand
{
    public static Command Create(Verbs verbs)
    {
        var crawl = CrawlArgument.Create();
        var url = new Argument<string>("URL") { Description = "As it was typed or linked; the canonical form is shown." };
        return verbs.Read(new("explain", "Why a URL was or was not fetched.") { crawl, url }, (session, parsed, cancel) =>
            Run(session, parsed.GetRequiredValue(crawl), parsed.GetRequiredValue(url), cancel)
        );
    }

    private static async Task<int> Run(Session session, string idOrName, string url, CancellationToken cancel)
    {
        var id = await session.Find(idOrName, cancel);
        var explanation = await (await session.Cluster(cancel)).Crawl(id).Explain(url, cancel);
        if (session.Json)
        {
            session.Terminal.Json(
                new
                {
                    id = id.ToString(),
                    url = explanation.Url,
                    state = explanation.State,
                    lines = explanation.Lines.Select(line => new { label = line.Label, text = line.Text }),
                }
            );
        }
        else
        {
            var facts = new Facts().Add("url", explanation.Url ?? url).Add("state", explanation.State, "bold");
            // Both stand at the top; in the order of decisions the crawler names them again.
            foreach (var line in explanation.Lines.Where(line => line.Label is not ("url" or "state")))
            {
                facts.Add(line.Label, line.Text);
            }

            facts.WriteTo(session.Terminal);
        }

        return ExitCode.Done;
    }
}
