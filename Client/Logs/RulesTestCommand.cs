using System.CommandLine;
using Client.Values;
using Grains.Interfaces.Logs;
using Grains.Interfaces.Values;

namespace Client.Logs;

/// <summary><c>logs rules test 'QUERY => ACTION' [--since 1h]</c></summary>
internal static class RulesTestCommand
{
    public static Command Create(Verbs verbs)
    {
        var rule = RuleArgument.Create();
        var since = new Option<TimeSpan>("--since")
        {
            Description = "How far back records are looked at: 15m, 1h.",
            HelpName = "duration",
            DefaultValueFactory = _ => TimeSpan.FromHours(1),
            CustomParser = parsed =>
            {
                if (Durations.TryParse(parsed.Tokens[0].Value, out var duration))
                {
                    return duration;
                }

                parsed.AddError($"--since is a duration such as 15m or 1h; this is \"{parsed.Tokens[0].Value}\"");
                return default;
            },
        };
        return verbs.Read(
            new("test", "What a rule would have done to records that are stored. It changes nothing.") { rule, since },
            (session, parsed, cancel) => Run(session, parsed.GetRequiredValue(rule), parsed.GetValue(since), cancel)
        );
    }

    private static async Task<int> Run(Session session, string rule, TimeSpan since, CancellationToken cancel)
    {
        var reply = await (await session.Cluster(cancel)).LogRules.Test(rule, since, cancel);
        RuleArgument.Check(reply.Error);
        var test = reply.Test!;
        if (session.Json)
        {
            session.Terminal.Json(RuleTestForm.Of(test));
        }
        else
        {
            Show(session.Terminal, test);
        }

        return ExitCode.Done;
    }

    private static void Show(Terminal terminal, RuleTest test)
    {
        terminal.Line(
            $"Of {Counts.Format(test.Total)} records{(test.IsWhole ? "" : " (it stopped before all were seen)")}, "
                + $"{Counts.Format(test.Matching)} match."
        );
        if (test.Tested < test.Matching)
        {
            terminal.Line($"The rule was tried on the newest {Counts.Format(test.Tested)} of them.");
        }

        var done = new[]
        {
            (test.Filtered, "dropped"),
            (test.Sampled, "sampled away"),
            (test.Changed, "changed"),
            (test.Routed, "routed to another class"),
        }
            .Where(what => what.Item1 > 0)
            .Select(what => $"{Counts.Format(what.Item1)} {what.Item2}")
            .ToArray();
        terminal.Line($"Would have been {(done is [] ? "left as they are: all" : string.Join(", ", done))}.");
        foreach (var example in test.Examples)
        {
            terminal.Line($"- {Terminal.Clean(example.Before)}");
            terminal.Line(example.After is null ? "  not stored" : $"+ {Terminal.Clean(example.After)}");
        }
    }
}
