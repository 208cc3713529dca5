using System.Globalization;
using Grains.Interfaces.Values;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Silo.Launch;

/// <summary>One line per entry, the time first: <c>06:40:51.123 warn HostGrain: …</c>. Only an error's stack trace takes more.</summary>
public sealed class LineFormatter(TimeProvider clock) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "line";

    /// <summary>Characters of a message, and of an exception's message. Orleans' own can take a screen.</summary>
    public const int MaxLength = 400;

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.Write(clock.GetLocalNow().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture));
        textWriter.Write(Word(logEntry.LogLevel));
        textWriter.Write(logEntry.Category.AsSpan(logEntry.Category.LastIndexOf('.') + 1));
        textWriter.Write(": ");
        textWriter.Write(Bounded(TerminalText.Clean(message.ReplaceLineEndings(" "))));
        if (logEntry.Exception is { } exception)
        {
            textWriter.Write($" ({exception.GetType().Name}: {Bounded(TerminalText.Clean(FirstLine(exception.Message)))})");
            if (logEntry.LogLevel >= LogLevel.Error)
            {
                textWriter.WriteLine();
                textWriter.Write(TerminalText.CleanLines(exception.ToString().ReplaceLineEndings("\n")));
            }
        }

        textWriter.WriteLine();
    }

    private static ReadOnlySpan<char> Bounded(ReadOnlySpan<char> text) => text.Length <= MaxLength ? text : $"{text[..MaxLength]}…";

    /// <summary>Orleans puts whole stack traces into the messages of its exceptions.</summary>
    private static string FirstLine(string message)
    {
        var end = message.AsSpan().IndexOfAny('\r', '\n');
        return end < 0 ? message : message[..end];
    }

    private static string Word(LogLevel level) =>
        level switch
        {
            LogLevel.Trace => " trace ",
            LogLevel.Debug => " debug ",
            LogLevel.Information => " info  ",
            LogLevel.Warning => " warn  ",
            LogLevel.Error => " error ",
            _ => " fatal ",
        };
}
