using System.CommandLine;
using Client.Values;
using Grains.Orders.Audit;

namespace Client.Orders;

/// <summary><c>orders audit head|key|proof|consistency|checkpoint|verify|check</c></summary>
internal static class AuditCommands
{
    public static Command Proof(Verbs verbs)
    {
        var id = OrderArgument.Create();
        return verbs.Read(
            new("proof", "Prove all that was recorded of an order: entries, inclusion proofs and the signed head, as JSON.") { id },
            async (session, parsed, cancel) =>
            {
                var text = parsed.GetRequiredValue(id);
                var desk = (await session.Cluster(cancel)).Orders;
                var order = await OrderArgument.Find(desk, text, cancel);
                var proof = await desk.Audit.Proof(order, cancel)
                    ?? throw new ConsoleException($"Nothing is recorded of order {Terminal.Clean(text)} yet.");
                if (AuditReceipt.FromJson(proof).Check([AuditPublicKey.FromPem(await desk.AuditHeads.PublicKey(cancel))]) is { } wrong)
                {
                    throw new ConsoleException($"The proof does not hold: {wrong}");
                }

                session.Document(proof);
                return ExitCode.Done;
            }
        );
    }

    public static Command Head(Verbs verbs)
    {
        var file = new Option<string?>("--out") { Description = "Write it to this file, to be kept elsewhere.", HelpName = "FILE" };
        return verbs.Read(
            new("head", "The audit as it is now: size and root of every partition, signed.") { file },
            async (session, parsed, cancel) =>
            {
                var desk = (await session.Cluster(cancel)).Orders;
                var head = await desk.AuditHeads.Head(cancel);
                if (parsed.GetValue(file) is not { } path)
                {
                    session.Document(head);
                    return ExitCode.Done;
                }

                await OutputFile.Write(path, async writer =>
                {
                    await writer.WriteAsync(head);
                    return head.Length;
                });

                var entries = SignedAuditHead.FromJson(head).Head.Roots.Sum(root => root.Size);
                session.Tell(
                    new { file = path, entries },
                    $"The head over {Counts.Of(entries, "entry", "entries")} is in {path}. Keep it elsewhere: \"orders "
                        + $"audit verify --against {path}\" holds the data to it."
                );

                return ExitCode.Done;
            }
        );
    }

    public static Command Verify(Verbs verbs)
    {
        var all = new Option<bool>("--all") { Description = "Against every head that is kept, and against the orders themselves." };
        var against = new Option<string[]>("--against")
        {
            Description = "A head from \"orders audit head --out\"; may be given several times.",
            HelpName = "HEADFILE",
        };
        return verbs.Read(
            new("verify", "Check every entry against the signed head, here and not in the cluster.") { all, against },
            async (session, parsed, cancel) =>
            {
                var heads = new List<SignedAuditHead>();
                foreach (var path in parsed.GetValue(against) ?? [])
                {
                    heads.Add(Read(path));
                }

                var result = await AuditCheck.Run((await session.Cluster(cancel)).Orders, heads, parsed.GetValue(all), cancel);
                Tell(session, result);
                return result.Holds ? ExitCode.Done : ExitCode.Failed;
            }
        );
    }

    /// <summary>Without a cluster: all that it needs is in the file, and the key.</summary>
    public static Command Check(Verbs verbs)
    {
        var file = new Argument<string>("FILE")
        {
            Description = "What \"orders audit proof\", \"head\", \"consistency\" or \"checkpoint\" printed; \"-\" reads standard input.",
        };
        var key = new Option<string[]>("--key")
        {
            Description = "The log's public key in PEM, from \"orders audit key\"; may be given several times.",
            HelpName = "KEYFILE",
        };
        return verbs.Act(
            new("check", "Check a proof, a head, a proof of consistency or a checkpoint here, without a cluster.") { file, key },
            (session, parsed, cancel) =>
            {
                var path = parsed.GetRequiredValue(file);
                AuditFileCheck found;
                try
                {
                    var keys = (parsed.GetValue(key) ?? []).Select(name => AuditPublicKey.FromPem(AuditInput.Read(name))).ToList();
                    found = AuditFile.Check(AuditInput.Read(path), keys);
                }
                catch (FormatException e)
                {
                    throw new ConsoleException($"\"{Terminal.Clean(path)}\" cannot be checked: {e.Message}", ExitCode.WrongUsage);
                }

                Tell(session, found);
                return Task.FromResult(found.Fault is null ? ExitCode.Done : ExitCode.Failed);
            }
        );
    }

    public static Command Key(Verbs verbs) =>
        verbs.Read(
            new("key", "Print the public key of the audit's heads, in PEM: \"orders audit check --key\" takes it."),
            async (session, _, cancel) =>
            {
                Print(session, (await (await session.Cluster(cancel)).Orders.AuditHeads.PublicKey(cancel)).TrimEnd(), pem => new { pem });
                return ExitCode.Done;
            }
        );

    public static Command Consistency(Verbs verbs)
    {
        var older = new Argument<string>("OLDER") { Description = "A head from \"orders audit head --out\"." };
        var newer = new Argument<string?>("NEWER")
        {
            Description = "A later head; one that is signed now without it.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        return verbs.Read(
            new("consistency", "Prove that the audit under an older head is the beginning of the one under a newer head, as JSON.")
            {
                older,
                newer,
            },
            async (session, parsed, cancel) =>
            {
                var first = AuditInput.Read(parsed.GetRequiredValue(older));
                var second = parsed.GetValue(newer) is { } path ? AuditInput.Read(path) : null;
                var desk = (await session.Cluster(cancel)).Orders;
                var proof = await desk.Audit.Consistency(first, second, cancel);
                if (proof.Text is not { } text)
                {
                    throw new ConsoleException(proof.Error!, ExitCode.WrongUsage);
                }

                var key = AuditPublicKey.FromPem(await desk.AuditHeads.PublicKey(cancel));
                if (AuditConsistency.FromJson(text).Check([key]) is { } wrong)
                {
                    throw new ConsoleException($"The proof does not hold: {wrong}");
                }

                session.Document(text);
                return ExitCode.Done;
            }
        );
    }

    public static Command Checkpoint(Verbs verbs)
    {
        var partition = new Argument<int>("PARTITION")
        {
            Description = "The partition of orders, from 0: each is a log of its own.",
            Validators =
            {
                result =>
                {
                    if (result.GetValueOrDefault<int>() < 0)
                    {
                        result.AddError("Partitions are counted from 0");
                    }
                },
            },
        };
        return verbs.Read(
            new("checkpoint", "Print a partition's audit as a signed checkpoint in the form of C2SP's tlog-checkpoint.") { partition },
            async (session, parsed, cancel) =>
            {
                var notes = await (await session.Cluster(cancel)).Orders.AuditHeads.Checkpoints(cancel);
                var number = parsed.GetRequiredValue(partition);
                if (number >= notes.Length)
                {
                    throw new ConsoleException($"Partitions are 0 to {notes.Length - 1}; this is {number}.", ExitCode.WrongUsage);
                }

                Print(session, notes[number].TrimEnd(), checkpoint => new { partition = number, checkpoint });
                return ExitCode.Done;
            }
        );
    }

    /// <summary>What is no JSON: as it is for people and files, as a member of an object for programs.</summary>
    private static void Print<T>(Session session, string text, Func<string, T> form)
    {
        if (session.Json)
        {
            session.Terminal.Json(form(text));
        }
        else
        {
            session.Terminal.Document(text);
        }
    }

    private static void Tell(Session session, AuditFileCheck found)
    {
        if (session.Json)
        {
            session.Terminal.Json(
                new
                {
                    holds = found.Fault is null,
                    kind = found.Kind,
                    fault = found.Fault,
                    says = found.Says,
                    keyId = found.KeyId,
                    ownKey = found.IsOwnKey,
                }
            );
            return;
        }

        session.Terminal.Line(
            found.Fault is { } fault
                ? $"The {found.Kind} does not hold: {fault}"
                : $"The {found.Kind} holds: {found.Says}, signed by the key {found.KeyId}."
        );
        if (found is { IsOwnKey: true, Fault: null })
        {
            session.Terminal.Warn(
                "The key is the one that the file itself names: whoever made the file could have made the key, too. "
                    + "Give the log's with --key."
            );
        }
    }

    private static SignedAuditHead Read(string path)
    {
        try
        {
            return SignedAuditHead.FromJson(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new ConsoleException(
                e is FormatException ? $"\"{Terminal.Clean(path)}\" is no head of an audit: {e.Message}" : Checks.Unreadable(path, e),
                ExitCode.WrongUsage
            );
        }
    }

    private static void Tell(Session session, AuditCheckResult result)
    {
        var report = result.Report;
        if (session.Json)
        {
            session.Terminal.Json(
                new
                {
                    holds = result.Holds,
                    entries = report.Entries,
                    covered = report.Covered,
                    erased = report.Erased,
                    partitions = report.Partitions,
                    heads = result.Heads,
                    orders = result.Orders,
                    versionsNotChecked = report.VersionsNotChecked,
                    findings = report.Findings.Select(finding => new
                    {
                        fault = finding.Fault.ToString(),
                        finding.Partition,
                        finding.Index,
                        finding.OrderId,
                        finding.Version,
                        finding.What,
                    }),
                    orderFindings = result.OrderFindings,
                }
            );
            return;
        }

        foreach (var finding in report.Findings.Select(finding => finding.What).Concat(result.OrderFindings))
        {
            session.Terminal.Line(finding);
        }

        var orders = result.Orders > 0 ? $" and {Counts.Of(result.Orders, "order", "orders")}" : "";
        var erased = report.Erased > 0 ? $"; the personal parts of {Counts.Format(report.Erased)} are erased" : "";
        session.Terminal.Line(
            result.Holds
                ? $"The audit holds: {Counts.Of(report.Entries, "entry", "entries")}{orders} in "
                    + $"{Counts.Of(report.Partitions, "partition", "partitions")}, {Counts.Format(report.Covered)} of the "
                    + $"entries under {(result.Heads == 1 ? "the signed head" : $"{Counts.Format(result.Heads)} signed heads")}{erased}."
                : "The audit does not hold."
        );
        if (report.VersionsNotChecked > 0)
        {
            session.Terminal.Warn(
                $"Whether versions follow each other was not checked for {Counts.Format(report.VersionsNotChecked)} entries: "
                    + $"more orders are under way than are kept in memory. --all checks them by order."
            );
        }
    }
}
