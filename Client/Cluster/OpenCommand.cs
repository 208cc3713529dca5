using System.CommandLine;
using System.Net;
using Client.Orders;

namespace Client.Cluster;

/// <summary><c>open [WHAT] [ID]</c></summary>
internal static class OpenCommand
{
    /// <summary>By the word that is typed, the page's path.</summary>
    private static readonly Dictionary<string, string> Pages = new(StringComparer.Ordinal)
    {
        ["books"] = "/",
        ["crawl"] = "/crawls",
        ["order"] = "/orders",
        ["webhook"] = "/destinations",
        ["dead-letters"] = "/dead-letters",
        ["logs"] = "/logs",
        ["tail"] = "/logs/tail",
        ["rules"] = "/logs/rules",
        ["cluster"] = "/cluster",
        ["api"] = "/api",
    };

    /// <summary>Those of which one can be shown, by its id.</summary>
    private static readonly string[] OfOne = ["crawl", "order", "webhook"];

    public static Command Create(Verbs verbs)
    {
        var what = new Argument<string?>("WHAT")
        {
            Description = $"What is to be shown: {string.Join(", ", Pages.Keys)}. [default: books]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        what.AcceptOnlyFromAmong([.. Pages.Keys]);
        var id = new Argument<string?>("ID")
        {
            Description = $"The one that is to be shown, of {string.Join(", ", OfOne[..^1])} or {OfOne[^1]}: its id, or how it begins.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = verbs.Act(
            new("open", "Open the page of the cluster in the browser. Prints its address where there is none, and where output is piped.")
            {
                what,
                id,
            },
            (session, parsed, cancel) => Run(session, parsed.GetValue(what) ?? "books", parsed.GetValue(id), cancel)
        );
        command.Validators.Add(result =>
        {
            if (result.GetValue(id) is not null && !OfOne.Contains(result.GetValue(what)))
            {
                result.AddError($"An ID is of a {string.Join(", ", OfOne[..^1])} or {OfOne[^1]}; this is \"{result.GetValue(what)}\"");
            }
        });
        return command;
    }

    private static async Task<int> Run(Session session, string what, string? id, CancellationToken cancel)
    {
        var path = Pages[what];
        if (id is not null)
        {
            path += $"/{await Find(session, what, id, cancel)}";
        }

        var status = await (await session.Cluster(cancel)).Status.Show(cancel);
        if (status.Http is not { } listens)
        {
            throw new ConsoleException("The silo that answers has no page: its HTTP port is closed, or it is of an earlier version.");
        }

        var address = new Uri($"http://{Reached(IPEndPoint.Parse(listens), session.Address)}{path}");
        var isOpened = session is { Json: false, Quiet: false } && session.Terminal.OutputIsTerminal && session.Terminal.Browse(address);
        session.Tell(new { address = address.AbsoluteUri, opened = isOpened }, address.AbsoluteUri, address.AbsoluteUri);
        return ExitCode.Done;
    }

    /// <summary>A silo that listens on every address is asked at the one where its gateway was reached.</summary>
    private static string Reached(IPEndPoint listens, Grains.Client.ClusterAddress gateways)
    {
        if (!listens.Address.Equals(IPAddress.Any) && !listens.Address.Equals(IPAddress.IPv6Any))
        {
            return listens.ToString();
        }

        var host = gateways.Gateways[0].Host;
        return $"{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{listens.Port}";
    }

    private static async Task<string> Find(Session session, string what, string id, CancellationToken cancel) =>
        what switch
        {
            "crawl" => (await session.Find(id, cancel)).Value,
            "order" => (await OrderArgument.Find((await session.Cluster(cancel)).Orders, id, cancel)).Value,
            _ => await WebhookArgument.Find((await session.Cluster(cancel)).Orders, id, cancel),
        };
}
