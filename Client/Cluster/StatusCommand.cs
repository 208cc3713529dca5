using System.CommandLine;
using Client.Values;
using Grains.Interfaces.Cluster;
using Grains.Interfaces.Values;
using Spectre.Console;

namespace Client.Cluster;

/// <summary><c>cluster status</c></summary>
internal static class StatusCommand
{
    public static Command Create(Verbs verbs) =>
        verbs.Read(
            new("status", "Silos and their state, activations per grain type, bytes on disk by system, health checks that do not pass."),
            Run
        );

    private static async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var cluster = await session.Cluster(cancel);
        var status = await cluster.Status.Show(cancel);
        if (session.Json)
        {
            session.Terminal.Json(
                new
                {
                    clusterId = status.ClusterId,
                    version = status.Version,
                    silos = status.Silos.Select(silo => new
                    {
                        address = silo.Address,
                        gateway = silo.Gateway,
                        name = silo.Name,
                        status = silo.Status,
                        startedAt = silo.StartedAt,
                    }),
                    activations = status.Activations.Select(type => new { grainType = type.GrainType, count = type.Count }),
                    storage = status.Storage.Select(line => new { system = line.System, bytes = line.Bytes }),
                    storageKind = status.StorageKind,
                    health = status.Health.Select(check => new
                    {
                        check = check.Check,
                        status = check.Status,
                        reason = check.Reason,
                    }),
                }
            );
        }
        else
        {
            Write(status, session.Terminal);
        }

        return ExitCode.Done;
    }

    private static void Write(ClusterStatus status, Terminal terminal)
    {
        var now = terminal.Clock.GetUtcNow();
        terminal.MarkupLine(
            $"Cluster [bold]{Markup.Escape(Terminal.Clean(status.ClusterId))}[/], version {Markup.Escape(Terminal.Clean(status.Version))}"
        );

        var silos = new Listing().Column("silo").Column("status").Column("address").Column("gateway").Column("up for", right: true);
        foreach (var silo in status.Silos)
        {
            silos.Row(
                silo.Name,
                new(
                    silo.Status,
                    silo.Status == "Active" ? "green"
                        : silo.Status == "Dead" ? "grey"
                        : "yellow"
                ),
                silo.Address,
                silo.Gateway,
                silo.Status == "Dead" || now < silo.StartedAt ? "" : Durations.Elapsed(now - silo.StartedAt)
            );
        }

        var activations = new Listing().Column("grain type").Column("activations", right: true);
        foreach (var type in status.Activations)
        {
            activations.Row(type.GrainType, Counts.Format(type.Count));
        }

        var storage = new Listing().Column($"storage ({status.StorageKind})").Column("size", right: true);
        foreach (var line in status.Storage)
        {
            storage.Row(line.System, Sizes.Format(line.Bytes));
        }

        var health = new Listing().Column("health check").Column("status").Column("why", wrap: true);
        foreach (var check in status.Health.Where(check => check.Status != "Healthy"))
        {
            health.Row(check.Check, new(check.Status, check.Status == "Degraded" ? "yellow" : "red"), check.Reason ?? "");
        }

        foreach (var listing in new[] { silos, activations, storage, health }.Where(listing => listing.Rows > 0))
        {
            if (!terminal.OutputIsTerminal)
            {
                terminal.Line("");
            }

            listing.WriteTo(terminal);
        }
    }
}
