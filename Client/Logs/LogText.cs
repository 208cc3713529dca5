using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Client.Values;
using Grains.Interfaces.Logs;

namespace Client.Logs;

/// <summary>How log records and the ends of questions are shown to people, alike in every verb.</summary>
internal static class LogText
{
    private const int LongestAttribute = 200;

    /// <summary>One record as a line, in Spectre's markup: time, severity, service, body, attributes.</summary>
    public static string Markup(LogRecord record)
    {
        var severity = LogSeverity.Name(record.Severity);
        var style = Style(record.Severity);
        var line = new StringBuilder();
        line.Append(
            CultureInfo.InvariantCulture,
            $"[grey]{LogForm.Moment(record.Time).UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}[/] "
                + $"[{style}]{(severity.Length == 0 ? "-" : severity.ToUpperInvariant()), -6}[/] "
        );
        line.Append(CultureInfo.InvariantCulture, $"[cyan]{Clean(Text(record.Service), "-")}[/] ");
        line.Append(Spectre.Console.Markup.Escape(Terminal.Clean(Text(record.Body).ReplaceLineEndings("\u23CE"))));
        foreach (var (name, value) in Attributes(record))
        {
            line.Append(CultureInfo.InvariantCulture, $" [grey]{Clean(name)}=[/]{Clean(value)}");
        }

        return line.ToString();
    }

    public static string Style(byte severity) =>
        severity switch
        {
            0 => "grey",
            <= 8 => "grey",
            <= 12 => "green",
            <= 16 => "yellow",
            <= 20 => "red",
            _ => "bold red",
        };

    /// <summary>Records as programs get them, one object a line.</summary>
    public static void WriteJson(Terminal terminal, LogBlock block)
    {
        var bytes = new System.Buffers.ArrayBufferWriter<byte>(64 * 1024);
        using var json = new Utf8JsonWriter(bytes, LogForm.Json);
        for (var record = 0; record < block.Count; record++)
        {
            LogForm.Write(json, block[record]);
            json.Flush();
            json.Reset();
            System.Buffers.BuffersExtensions.Write(bytes, "\n"u8);
        }

        terminal.Text(Encoding.UTF8.GetString(bytes.WrittenSpan));
        terminal.Flush();
    }

    public static void WriteLines(Terminal terminal, LogBlock block)
    {
        for (var record = 0; record < block.Count; record++)
        {
            terminal.MarkupLine(Markup(block[record]));
        }
    }

    /// <summary>What a question that was not taken ends the verb with.</summary>
    /// <exception cref="ConsoleException">It was wrong, or the silo is busy.</exception>
    public static void ThrowIfRefused(QueryEnd end)
    {
        switch (end.Outcome)
        {
            case QueryOutcome.Wrong:
                throw new ConsoleException(end.Sentence ?? "The question is wrong.", ExitCode.WrongUsage);
            case QueryOutcome.Busy:
                throw new ConsoleException(end.Sentence ?? "The silo is busy.");
        }
    }

    /// <summary>Says how it ended, beside the result: always when it stopped early, else to people only.</summary>
    public static int Finish(Session session, QueryEnd end, string found)
    {
        if (StoppedEarly(end))
        {
            session.Terminal.Warn($"Stopped early: {end.Sentence} What was read: {Read(end)}.");
        }

        if (end.Unreadable > 0)
        {
            NoteUnreadable(session.Terminal, end.Unreadable, end.UnreadableSegments);
        }

        if (StoppedEarly(end) || end.Unreadable > 0)
        {
            return ExitCode.Failed;
        }

        if (session.ShowsProgress)
        {
            session.Terminal.Note(
                $"{found}; read {Read(end)} in {end.Took.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture)} s."
            );
        }

        return ExitCode.Done;
    }

    public static bool StoppedEarly(QueryEnd end) =>
        end.Outcome is QueryOutcome.Time or QueryOutcome.Memory or QueryOutcome.Size or QueryOutcome.Crash;

    /// <summary>Says which segments cannot be read, beside the result.</summary>
    public static void NoteUnreadable(Terminal terminal, int count, ImmutableArray<string> names)
    {
        var named = names.IsDefault ? [] : names;
        terminal.Warn(
            $"{Counts.Of(count, "segment", "segments")} of the log cannot be read, and what is in "
                + $"{(count == 1 ? "it" : "them")} is missing here: {string.Join(", ", named)}{(named.Length < count ? ", and more" : "")}."
        );
    }

    /// <exception cref="ConsoleException">It is no time.</exception>
    public static DateTimeOffset? Time(string? text, string option, DateTimeOffset now)
    {
        if (text is null)
        {
            return null;
        }

        return LogTimes.TryParse(text, now, out var moment)
            ? moment
            : throw new ConsoleException($"{option} is {LogTimes.Forms}; this is \"{Terminal.Clean(text)}\".", ExitCode.WrongUsage);
    }

    private static string Read(QueryEnd end) =>
        $"{Counts.Format(end.SegmentsRead)} of {Counts.Of(end.Segments, "segment", "segments")} "
        + $"({Counts.Of(end.RecordsRead, "record", "records")})";

    private static List<(string Name, string Value)> Attributes(LogRecord record)
    {
        if (record.Attributes.IsEmpty)
        {
            return [];
        }

        var attributes = new List<(string, string)>();
        using var document = JsonDocument.Parse(record.Attributes.ToArray());
        foreach (var member in document.RootElement.EnumerateObject())
        {
            var value = member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString()! : member.Value.GetRawText();
            attributes.Add((member.Name, value.Length > LongestAttribute ? value[..LongestAttribute] + "…" : value));
        }

        return attributes;
    }

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);

    private static string Clean(string text, string otherwise = "") =>
        text.Length == 0 ? otherwise : Spectre.Console.Markup.Escape(Terminal.Clean(text));
}
