using System.Collections.Immutable;
using System.CommandLine;
using Grains.Interfaces.Cluster;

namespace Client.Cluster;

/// <summary><c>cluster chain</c></summary>
internal static class ChainCommand
{
    public static Command Create(Verbs verbs) =>
        verbs.Read(new("chain", "What every request and every call of a grain passes, in order, as the silo declares it."), Run);

    private static async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var chains = await (await session.Cluster(cancel)).Status.Chains(cancel);
        if (session.Json)
        {
            Write(session.Terminal, "http", chains.Http);
            Write(session.Terminal, "grains", chains.Grains);
        }
        else
        {
            Table("HTTP and gRPC", chains.Http).WriteTo(session.Terminal);
            session.Terminal.Line("");
            Table("calls of grains", chains.Grains).WriteTo(session.Terminal);
        }

        return ExitCode.Done;
    }

    private static void Write(Terminal terminal, string chain, ImmutableArray<ChainLine> links)
    {
        foreach (var link in links)
        {
            terminal.Json(
                new
                {
                    chain,
                    name = link.Name,
                    what = link.What,
                }
            );
        }
    }

    private static Listing Table(string title, ImmutableArray<ChainLine> chain)
    {
        var listing = new Listing().Column("", right: true).Column(title).Column("", wrap: true);
        foreach (var (at, link) in chain.Index())
        {
            listing.Row($"{at + 1}", link.Name, link.What);
        }

        return listing;
    }
}
