using System.CommandLine;
using System.Reflection;
using Client.Values;
using Grains.Interfaces.Cluster;

namespace Client.Cluster;

/// <summary><c>doctor</c>: checks one after the other, each with what to do about it.</summary>
internal static class DoctorCommand
{
    public static Command Create(Verbs verbs) =>
        verbs.Act(
            new("doctor", "Check what is reachable, set wrongly, of another version or not written. Exits with 1 when something is wrong."),
            Run
        );

    private static async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var findings = new List<Finding>();
        var began = session.Terminal.Clock.GetTimestamp();
        try
        {
            var cluster = await session.Cluster(cancel);
            findings.Add(new("connection", Verdict.Good, $"{session.Address} answered in {Took()}."));
            Add(findings, await cluster.Status.Show(cancel));
            AddKeys(findings, (await cluster.Keys.List(cancel)).Length);
            var accounts = await cluster.Ledger.Read(cancel);
            var odd = accounts.Where(account => !account.Balances).Select(account => $"{account.System} {account.Name}").ToArray();
            findings.Add(
                odd is []
                    ? new("books", Verdict.Good, $"{Counts.Of(accounts.Length, "account", "accounts")} balance.")
                    : new(
                        "books",
                        Verdict.Bad,
                        $"These do not balance: {string.Join(", ", odd)}. Keep the data and report it; see \"ledger\"."
                    )
            );
        }
        catch (ConsoleException unreachable) when (unreachable.Code == ExitCode.NoSilo)
        {
            findings.Add(new("connection", Verdict.Bad, unreachable.Message));
        }

        Write(session, findings);
        return findings.All(finding => finding.Verdict != Verdict.Bad) ? ExitCode.Done
            : findings is [{ Name: "connection", Verdict: Verdict.Bad }] ? ExitCode.NoSilo
            : ExitCode.Failed;

        string Took() => Grains.Interfaces.Values.Durations.Elapsed(session.Terminal.Clock.GetElapsedTime(began));
    }

    private static void Add(List<Finding> findings, ClusterStatus status)
    {
        var own = typeof(DoctorCommand)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
            .InformationalVersion.Split('+')[0];
        findings.Add(
            status.Version == own
                ? new("version", Verdict.Good, $"Console and silo are {own}.")
                : new(
                    "version",
                    Verdict.Doubtful,
                    $"The console is {own} and the silo {status.Version}; take the console of the silo's version."
                )
        );
        var active = status.Silos.Count(silo => silo.Status == "Active");
        var other = status.Silos.Where(silo => silo.Status is not ("Active" or "Dead")).ToArray();
        var running = Counts.Of(active, "silo is active", "silos are active");
        var others = string.Join(", ", other.Select(silo => $"{silo.Name} is {silo.Status}"));
        findings.Add(other is [] ? new("silos", Verdict.Good, $"{running}.") : new("silos", Verdict.Doubtful, $"{running}; {others}."));
        var health = status.Health;
        foreach (var check in health.Where(check => check.Status != "Healthy"))
        {
            findings.Add(
                new($"health: {check.Check}", check.Status == "Degraded" ? Verdict.Doubtful : Verdict.Bad, check.Reason ?? check.Status)
            );
        }

        if (health.All(check => check.Status == "Healthy"))
        {
            findings.Add(
                new("health", Verdict.Good, $"{Counts.Of(health.Length, "check passes", "checks pass")}, writes to the store among them.")
            );
        }
    }

    private static void AddKeys(List<Finding> findings, int keys) =>
        findings.Add(
            keys > 0
                ? new("keys", Verdict.Good, $"HTTP and gRPC need one of {Counts.Of(keys, "API key", "API keys")}.")
                : new(
                    "keys",
                    Verdict.Doubtful,
                    "There is no API key: HTTP and gRPC are open to programs on the silo's machine, or closed if the last key was revoked. "
                        + "Make one with: keys add NAME --role operator"
                )
        );

    private static void Write(Session session, List<Finding> findings)
    {
        if (session.Json)
        {
            foreach (var finding in findings)
            {
                session.Terminal.Json(
                    new
                    {
                        check = finding.Name,
                        verdict = finding.Verdict.ToString().ToLowerInvariant(),
                        says = finding.Says,
                    }
                );
            }

            return;
        }

        var listing = new Listing().Column("").Column("check").Column("finding", wrap: true);
        foreach (var finding in findings)
        {
            listing.Row(
                finding.Verdict switch
                {
                    Verdict.Good => new("✓", "green"),
                    Verdict.Doubtful => new("!", "yellow"),
                    _ => new("✗", "red"),
                },
                finding.Name,
                finding.Says
            );
        }

        listing.WriteTo(session.Terminal);
    }

    private enum Verdict
    {
        Good,
        Doubtful,
        Bad,
    }

    private sealed record Finding(string Name, Verdict Verdict, string Says);
}
