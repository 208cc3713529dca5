using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Client.Values;
using Grains.Interfaces.Logs;

namespace Client.Logs;

/// <summary><c>logs send FILE… --service NAME</c></summary>
internal sealed class SendCommand
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    private readonly Argument<string[]> _files = new("file")
    {
        Description = "Files of lines; \"-\" is standard input.",
        Arity = ArgumentArity.OneOrMore,
    };
    private readonly Option<string> _service = new("--service")
    {
        Description = "The service that the records are of; for JSON, of those that name none.",
        Required = true,
        HelpName = "NAME",
    };
    private readonly Option<bool> _follow = new("--follow", "-f")
    {
        Description = "Go on with lines as they come, over the file's rotation too, until Ctrl-C.",
    };
    private readonly Option<string?> _format = new("--format")
    {
        Description =
            "text: a line is a record's body, and what it says of time and severity in a usual form is the record's. ndjson: a "
            + "line is a JSON object. [default: by the first line]",
        HelpName = "text|ndjson",
    };
    private readonly Option<bool> _multiline = new("--multiline")
    {
        Description =
            $"Join lines that go on, such as stack traces, with the line that they belong to; "
            + $"{Grains.Logs.Text.RecordJoiner.MaxLines} lines and {Grains.Logs.Text.RecordJoiner.MaxBytes / 1024} KiB at "
            + $"most. For text only.",
    };
    private readonly Option<string?> _host = new("--host")
    {
        Description = "The host that the records are of. [default: this one]",
        HelpName = "NAME",
    };
    private readonly Option<string?> _zone = new("--zone")
    {
        Description = "The zone of times without an offset, by its IANA name. [default: this machine's]",
        HelpName = "Europe/Berlin",
    };
    private readonly Option<string?> _state = new("--state")
    {
        Description = "Where it is kept how far each file was sent. [default: the user's folder for such things]",
        HelpName = "FOLDER",
    };
    private readonly Option<bool> _again = new("--from-start") { Description = "Send files from their start, whatever was sent before." };

    private SendCommand() => _format.AcceptOnlyFromAmong("text", "ndjson");

    public static Command Create(Verbs verbs)
    {
        var send = new SendCommand();
        return verbs.Act(
            new(
                "send",
                "Send files of lines into the log, in UTF-8 or UTF-16, packed with gzip too. A file that was sent in part goes "
                    + "on where it stopped, also when it was rotated meanwhile; what was acknowledged is stored."
            )
            {
                send._files,
                send._service,
                send._follow,
                send._format,
                send._multiline,
                send._host,
                send._zone,
                send._state,
                send._again,
            },
            send.Run
        );
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var names = parsed.GetRequiredValue(_files).Distinct().ToList();
        var follow = parsed.GetValue(_follow);
        if (follow && names.Contains("-"))
        {
            throw new ConsoleException("Standard input is read to its end in any case; --follow is for files.", ExitCode.WrongUsage);
        }

        foreach (var missing in names.Where(name => name != "-" && !File.Exists(name)))
        {
            throw new ConsoleException(
                Directory.Exists(missing) ? $"\"{missing}\" is a folder; name the files in it." : $"There is no file \"{missing}\".",
                ExitCode.WrongUsage
            );
        }

        var zone = parsed.GetValue(_zone)
            ?? (TimeZoneInfo.TryConvertWindowsIdToIanaId(TimeZoneInfo.Local.Id, out var iana) ? iana : TimeZoneInfo.Local.Id);
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _))
        {
            throw new ConsoleException($"There is no zone \"{zone}\"; Europe/Berlin or UTC would be one.", ExitCode.WrongUsage);
        }

        var form = new SendLines(
            default,
            parsed.GetRequiredValue(_service),
            parsed.GetValue(_host) ?? Environment.MachineName,
            "",
            LineFormat.Text,
            zone,
            default,
            parsed.GetValue(_multiline)
        );
        var screen = new SendScreen(session);
        var fromStart = parsed.GetValue(_again);
        var senders = names.Where(name => name != "-").ToDictionary(name => name, name => Sender(session, parsed, form, name, screen));
        if (follow)
        {
            try
            {
                // None of them ends but by a failure, which is told at once.
                await await Task.WhenAny(senders.Values.Select(sender => sender.Follow(fromStart, Look, cancel)));
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return senders.Values.Any(sender => sender.HasGaps) ? ExitCode.Failed : ExitCode.Done; // Ctrl-C is how it ends.
            }
        }

        var results = ImmutableArray.CreateBuilder<SendProgress>();
        foreach (var name in names)
        {
            results.AddRange(
                senders.TryGetValue(name, out var sender)
                    ? await sender.SendAll(fromStart, cancel)
                    : [await SendInput(session, parsed, form, screen, cancel)]
            );
        }

        if (session.Json)
        {
            foreach (var file in results)
            {
                session.Terminal.Json(
                    new
                    {
                        file = file.File,
                        stored = file.Stored,
                        refused = file.Refused,
                        bytes = file.Bytes - file.ResumedAt,
                        resumedAt = file.ResumedAt,
                    }
                );
            }
        }

        return results.Any(file => file.Refused > 0) || senders.Values.Any(sender => sender.HasGaps) ? ExitCode.Failed : ExitCode.Done;
    }

    private async Task<SendProgress> SendInput(
        Session session,
        ParseResult parsed,
        SendLines form,
        SendScreen screen,
        CancellationToken cancel
    )
    {
        await using var input = Console.OpenStandardInput();
        // Nobody can look at its first line without taking it: standard input is text unless it is said otherwise.
        var lines = form with { FileName = "-", Format = Format(parsed) ?? LineFormat.Text };
        var sent = await new FileSender(session, lines, input, null, null, "", screen.Show, (offset, fault) =>
            screen.Refused("-", offset, fault)
        ).SendAll(cancel);
        screen.Done(sent);
        return sent;
    }

    private PathSender Sender(Session session, ParseResult parsed, SendLines form, string name, SendScreen screen)
    {
        var folder = parsed.GetValue(_state)
            ?? Path.Combine(
                Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create),
                "orleans-console",
                "sent"
            );
        return new(session, form, name, Format(parsed), folder, screen);
    }

    private LineFormat? Format(ParseResult parsed) =>
        parsed.GetValue(_format) switch
        {
            null => null,
            "ndjson" => LineFormat.Ndjson,
            _ => LineFormat.Text,
        };
}

/// <summary>How sending looks: a bar on the error output for a person, lines of a result, and each refused line told.</summary>
internal sealed class SendScreen(Session session)
{
    private const int Width = 24;
    private const int Told = 20;

    private readonly Lock _lock = new();
    private int _refused;
    private bool _barShown;

    public void Show(SendProgress progress)
    {
        if (!session.ShowsProgress)
        {
            return;
        }

        lock (_lock)
        {
            var part = progress.Length > 0 ? (double)progress.Bytes / progress.Length : 0;
            var full = (int)(part * Width);
            var bar = progress.Length > 0 ? $"{new string('█', full)}{new string('░', Width - full)} {part, 4:0%}  " : "";
            var waiting = progress.WaitsFor is { } what ? $"  ({what}; trying again)" : "";
            session.Terminal.Error.Write(
                $"\r\u001b[K{bar}{Terminal.Clean(progress.File)}  {Sizes.Format(progress.Bytes)}  "
                    + $"{Counts.Of(progress.Stored, "record", "records")}{waiting}"
            );
            session.Terminal.Error.Flush();
            _barShown = true;
        }
    }

    public void Done(SendProgress progress)
    {
        lock (_lock)
        {
            ClearBar();
            if (session.Quiet && !session.Json)
            {
                session.Terminal.Line(progress.Stored.ToString(CultureInfo.InvariantCulture));
            }
            else if (!session.Json)
            {
                var resumed = progress.ResumedAt > 0 ? $" from byte {Counts.Format(progress.ResumedAt)} on" : "";
                var refused = progress.Refused > 0 ? $", {Counts.Of(progress.Refused, "line", "lines")} refused" : "";
                session.Terminal.Line(
                    progress is { Stored: 0, Refused: 0 }
                        ? $"{Terminal.Clean(progress.File)}: nothing new{resumed}."
                        : $"{Terminal.Clean(progress.File)}: {Counts.Of(progress.Stored, "record", "records")} stored{refused}{resumed}."
                );
            }
        }
    }

    public void Refused(string file, long offset, LineFault fault)
    {
        lock (_lock)
        {
            if (_refused++ < Told)
            {
                ClearBar();
                session.Terminal.Warn($"{file}, line {fault.Line} from byte {offset} on: {fault.Sentence}");
            }
        }
    }

    private void ClearBar()
    {
        if (_barShown)
        {
            session.Terminal.Error.Write("\r\u001b[K");
            session.Terminal.Error.Flush();
            _barShown = false;
        }
    }
}
