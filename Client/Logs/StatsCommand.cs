using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text;
using Client.Values;
using Grains.Interfaces.Logs;
using Grains.Interfaces.Values;
using Spectre.Console;

namespace Client.Logs;

/// <summary><c>logs stats</c></summary>
internal sealed class StatsCommand
{
    private const int Parts = 60;
    private const int Height = 8;
    private const string Blocks = " ▁▂▃▄▅▆▇█";

    private readonly Argument<string> _query = LogQueryOptions.Query();
    private readonly Option<string?> _since = LogQueryOptions.Since("1h");
    private readonly Option<string?> _until = LogQueryOptions.Until();
    private readonly Option<string> _by = new("--by")
    {
        Description = "What the table has a line for.",
        HelpName = "service|severity",
        DefaultValueFactory = _ => "service",
    };

    private StatsCommand() => _by.AcceptOnlyFromAmong("service", "severity");

    public static Command Create(Verbs verbs)
    {
        var stats = new StatsCommand();
        return verbs.Read(
            new("stats", "Rate, volume and severities over time, by service.") { stats._query, stats._since, stats._until, stats._by },
            stats.Run
        );
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var now = session.Terminal.Clock.GetUtcNow();
        var since = LogText.Time(parsed.GetValue(_since) ?? "1h", "--since", now)!.Value;
        var until = LogText.Time(parsed.GetValue(_until), "--until", now) ?? now;
        var reply = await (await session.Cluster(cancel)).LogQuery().Stats(new(parsed.GetValue(_query) ?? "", since, until, Parts), cancel);
        LogText.ThrowIfRefused(reply.End);
        var stats = StatsForm.Of(reply);
        if (session.Json)
        {
            session.Terminal.Json(stats);
        }
        else if (!LogText.StoppedEarly(reply.End))
        {
            Show(session.Terminal, stats, parsed.GetValue(_by) == "severity");
        }

        return LogText.Finish(session, reply.End, Counts.Of(stats.Records, "record", "records"));
    }

    private static void Show(Terminal terminal, StatsForm stats, bool bySeverity)
    {
        if (stats.Records == 0)
        {
            terminal.Line($"Nothing between {Moment(stats.Since)} and {Moment(stats.Until)}; a longer --since looks further back.");
            return;
        }

        new Facts()
            .Add("from", $"{Moment(stats.Since)} to {Moment(stats.Until)}")
            .Add("records", Counts.Format(stats.Records))
            .Add(
                "rate",
                $"{Counts.Rate(stats.RecordsPerSecond)}, at most {Counts.Rate(stats.Counts.Max() / stats.StepSeconds)} in "
                    + $"{Durations.Elapsed(TimeSpan.FromSeconds(stats.StepSeconds))}"
            )
            .Add("volume", $"about {Sizes.Format(stats.RawBytes)}, stored as {Sizes.Format(stats.StoredBytes)} (whole segments)")
            .WriteTo(terminal);
        terminal.Line("");
        if (terminal.OutputIsTerminal)
        {
            Chart(terminal, stats);
        }

        var listing = new Listing()
            .Column(bySeverity ? "severity" : "service", wrap: true)
            .Column("records", right: true)
            .Column("rate", right: true)
            .Column("share", right: true)
            .Column("over time");
        foreach (var line in bySeverity ? stats.Severities : stats.Services)
        {
            listing.Row(
                new(line.Name.Length == 0 ? "-" : line.Name, bySeverity ? LogText.Style(LogSeverity.Of(line.Name)) : "cyan"),
                Counts.Format(line.Records),
                Counts.Rate(line.Records / (stats.StepSeconds * stats.Counts.Length)),
                (100.0 * line.Records / stats.Records).ToString("0.0", CultureInfo.InvariantCulture) + " %",
                Line(line.Counts)
            );
        }

        listing.WriteTo(terminal);
    }

    /// <summary>Columns over time, from the worst severity at the foot to the mildest at the top.</summary>
    private static void Chart(Terminal terminal, StatsForm stats)
    {
        var most = stats.Counts.Max();
        var severities = stats.Severities.Reverse().ToArray();
        for (var row = Height - 1; row >= 0; row--)
        {
            var line = new StringBuilder(
                row == Height - 1 ? $"[grey]{Counts.Rate(most / stats.StepSeconds), 10}[/] "
                : row == 0 ? $"[grey]{"0", 10}[/] "
                : new string(' ', 11)
            );
            for (var part = 0; part < stats.Counts.Length; part++)
            {
                var eighths = (int)Math.Ceiling(stats.Counts[part] * 8.0 * Height / most) - (row * 8);
                line.Append(
                    CultureInfo.InvariantCulture,
                    $"[{StyleAt(severities, part, (row + 0.5) / Height * most)}]{Blocks[Math.Clamp(eighths, 0, 8)]}[/]"
                );
            }

            terminal.Console.MarkupLine(line.ToString());
        }

        terminal.Console.MarkupLine(
            $"{new string(' ', 11)}[grey]{stats.Since:HH:mm}{new string(' ', Math.Max(1, stats.Counts.Length - 10))}{stats.Until:HH:mm}[/]"
        );
        terminal.Line("");
    }

    /// <summary>Of the severity that lies at this height of the column.</summary>
    private static string StyleAt(StatsLineForm[] fromWorst, int part, double height)
    {
        var sum = 0.0;
        foreach (var severity in fromWorst)
        {
            sum += severity.Counts[part];
            if (sum > height)
            {
                return LogText.Style(LogSeverity.Of(severity.Name));
            }
        }

        return fromWorst.LastOrDefault(severity => severity.Counts[part] > 0) is { } mildest
            ? LogText.Style(LogSeverity.Of(mildest.Name))
            : "grey";
    }

    private static string Line(ImmutableArray<long> counts)
    {
        var most = Math.Max(1, counts.Max());
        return string.Concat(counts.Select(count => Blocks[(int)Math.Ceiling(count * 8.0 / most)]));
    }

    private static string Moment(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
