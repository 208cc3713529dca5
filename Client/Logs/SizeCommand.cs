using System.CommandLine;
using Client.Values;
using Grains.Interfaces.Values;

namespace Client.Logs;

/// <summary><c>logs size</c></summary>
internal sealed class SizeCommand
{
    private readonly Option<double> _rate = new("--rate")
    {
        Description = "Records a second.",
        HelpName = "N",
        Required = true,
    };
    private readonly Option<long> _bytes = new("--bytes")
    {
        Description = "Of a record as it comes in.",
        HelpName = "N",
        DefaultValueFactory = _ => 300,
    };
    private readonly Option<string> _outage = new("--outage")
    {
        Description = "How long storage may be away without a record being turned away.",
        HelpName = "DURATION",
        DefaultValueFactory = _ => "30s",
    };
    private readonly Option<string> _write = new("--write")
    {
        Description = "What one segment takes to be encoded, stored and committed.",
        HelpName = "DURATION",
        DefaultValueFactory = _ => "100ms",
    };

    public static Command Create(Verbs verbs)
    {
        var size = new SizeCommand();
        return verbs.Read(
            new(
                "size",
                "Computes buffer, shards and linger for a load, and says what this silo's settings would do. Ends with 1 when "
                    + "they would not hold it."
            )
            {
                size._rate,
                size._bytes,
                size._outage,
                size._write,
            },
            size.Run
        );
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var load = new LogLoad(
            parsed.GetValue(_rate),
            parsed.GetValue(_bytes),
            Duration(parsed.GetValue(_outage)!, "--outage"),
            Duration(parsed.GetValue(_write)!, "--write")
        );
        if (load is not { Rate: > 0 and < 1e9, Bytes: > 0 } || load.Write <= TimeSpan.Zero)
        {
            throw new ConsoleException("--rate and --bytes are above 0, and --write too.", ExitCode.WrongUsage);
        }

        var settings = await (await session.Cluster(cancel)).LogQuery().Settings(cancel);
        var sizing = LogSizing.Of(load, settings);
        if (session.Json)
        {
            session.Terminal.Json(
                new
                {
                    needs = new
                    {
                        sizing.InFlightBytes,
                        sizing.BufferBytes,
                        sizing.Shards,
                        sizing.BatchRecords,
                    },
                    silo = new
                    {
                        settings.BufferBytes,
                        settings.Shards,
                        lingerMs = settings.Linger.TotalMilliseconds,
                        settings.SegmentBytes,
                        settings.SegmentRecords,
                        ridesOutSeconds = Math.Round(sizing.RidesOut.TotalSeconds, 3),
                        maxRate = Math.Round(sizing.MaxRate),
                        acknowledgedAfterMs = sizing.Acknowledged.TotalMilliseconds,
                    },
                    holds = sizing.Holds(settings),
                }
            );
        }
        else
        {
            Show(session.Terminal, load, settings, sizing);
        }

        return sizing.Holds(settings) ? ExitCode.Done : ExitCode.Failed;
    }

    private static void Show(Terminal terminal, LogLoad load, Grains.Interfaces.Logs.LogSettings settings, LogSizing sizing)
    {
        var (buffer, shards) = (settings.BufferBytes >= sizing.BufferBytes, settings.Shards >= sizing.Shards);
        var listing = new Listing().Column("").Column("needed", right: true).Column("this silo", right: true).Column("", wrap: true);
        listing.Row(
            "comes in",
            $"{Sizes.Format((long)(load.Rate * load.Bytes))}/s",
            "",
            $"{Counts.Rate(load.Rate)} records of {Sizes.Format(load.Bytes)}"
        );
        listing.Row(
            "in flight",
            Sizes.Format(sizing.InFlightBytes),
            "",
            $"rate × (gather {Durations.Format(sizing.Gather)} + write {Durations.Format(load.Write)})"
        );
        listing.Row(
            "buffer",
            Sizes.Format(sizing.BufferBytes),
            new(Sizes.Format(settings.BufferBytes), Style(buffer)),
            $"and rate × outage {Durations.Format(load.Outage)}: Logs:BufferBytes"
        );
        listing.Row(
            "shards",
            Counts.Format(sizing.Shards),
            new(Counts.Format(settings.Shards), Style(shards)),
            $"rate ÷ {Counts.Format(sizing.BatchRecords)} records of the largest segment × write: Logs:Shards"
        );
        listing.WriteTo(terminal);
        terminal.Line(
            $"These settings write {Counts.Rate(sizing.MaxRate)} at most, acknowledge after about "
                + $"{Durations.Format(sizing.Acknowledged)}, and ride out {Durations.Elapsed(sizing.RidesOut)} of this load "
                + $"without storage; then they answer 429 until there is room."
        );
        if (!buffer)
        {
            terminal.MarkupLine(
                $"[yellow]The buffer is too small for this outage: --Logs:BufferBytes {sizing.BufferBytes} would hold it (with "
                    + $"that much memory besides).[/]"
            );
        }

        if (!shards)
        {
            terminal.MarkupLine(
                $"[yellow]The shards cannot keep up: {sizing.Shards} would. Their number is stored at the first start: it is "
                    + $"for a cluster that begins.[/]"
            );
        }
    }

    private static string Style(bool enough) => enough ? "green" : "bold red";

    private static TimeSpan Duration(string text, string option) =>
        Durations.TryParse(text, out var duration)
            ? duration
            : throw new ConsoleException(
                $"{option} is a duration such as 500ms, 30s or 5m; this is \"{Terminal.Clean(text)}\".",
                ExitCode.WrongUsage
            );
}
