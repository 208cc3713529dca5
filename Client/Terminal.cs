using System.Globalization;
using System.Text;
using System.Text.Json;
using Spectre.Console;

namespace Client;

/// <summary>
/// Where a verb writes: colours and live displays when a person looks, plain lines of any length when a program reads.
/// Results go to the output, all else (errors, progress of an export) to the error output.
/// </summary>
internal sealed class Terminal
{
    /// <summary>No line of plain output is wrapped: Spectre wraps at the width, so that is more than any line has.</summary>
    private const int NoWrap = 1_000_000;

    private readonly Lazy<IAnsiConsole> _console;
    private readonly Lazy<IAnsiConsole> _errorConsole;

    public Terminal(TextWriter output, TextWriter error, bool outputIsTerminal, bool errorIsTerminal, Func<string, bool> confirm, TimeProvider clock)
    {
        Output = output;
        Error = error;
        OutputIsTerminal = outputIsTerminal;
        ErrorIsTerminal = errorIsTerminal;
        Confirm = confirm;
        Clock = clock;
        _console = new(() => Create(output, outputIsTerminal));
        _errorConsole = new(() => Create(error, errorIsTerminal));
    }

    public TextWriter Output { get; }

    public TextWriter Error { get; }

    public bool OutputIsTerminal { get; }

    public bool ErrorIsTerminal { get; }

    /// <summary>Asks a yes-or-no question of the person before the terminal; only for terminals.</summary>
    public Func<string, bool> Confirm { get; }

    public TimeProvider Clock { get; }

    public IAnsiConsole Console => _console.Value;

    public IAnsiConsole ErrorConsole => _errorConsole.Value;

    public static Terminal OfThisProcess()
    {
        return new(
            System.Console.IsOutputRedirected
                ? new StreamWriter(StandardOutput.Open(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 64 * 1024)
                : System.Console.Out,
            System.Console.Error,
            outputIsTerminal: !System.Console.IsOutputRedirected,
            errorIsTerminal: !System.Console.IsErrorRedirected,
            question => !System.Console.IsInputRedirected && new ConfirmationPrompt(Markup.Escape(question)) { DefaultValue = false }.Show(AnsiConsole.Console),
            TimeProvider.System);
    }

    /// <summary>One line of a result.</summary>
    /// <exception cref="BrokenPipeException">Nobody reads any more.</exception>
    public void Line(string text) => Guard(() =>
    {
        Output.WriteLine(text);
        Output.Flush();
    });

    /// <summary>Part of a result, as it is; it may wait for what follows until <see cref="Flush"/>.</summary>
    /// <exception cref="BrokenPipeException">Nobody reads any more.</exception>
    public void Text(string text) => Guard(() => Output.Write(text));

    public void Flush() => Guard(Output.Flush);

    /// <summary>One line in Spectre's markup; without it when piped.</summary>
    public void MarkupLine(string markup)
    {
        if (OutputIsTerminal)
        {
            Console.MarkupLine(markup);
        }
        else
        {
            Line(Markup.Remove(markup));
        }
    }

    /// <summary>One object, one line.</summary>
    public void Json<T>(T value) => Line(JsonSerializer.Serialize(value, JsonForm.Options));

    /// <summary>A sentence about what went wrong; an object for programs.</summary>
    public void Fail(string sentence, bool json)
    {
        if (json)
        {
            Error.WriteLine(JsonSerializer.Serialize(new { error = sentence }, JsonForm.Options));
        }
        else if (ErrorIsTerminal)
        {
            // A sentence may have lines: a query, and a caret below the sign that is wrong.
            ErrorConsole.MarkupLineInterpolated($"[red]{string.Join('\n', sentence.Split('\n').Select(Clean))}[/]");
        }
        else
        {
            Error.WriteLine(sentence);
        }

        Error.Flush();
    }

    /// <summary>A sentence that is no result and no failure: what is happening meanwhile.</summary>
    public void Note(string sentence)
    {
        Error.WriteLine(Clean(sentence));
        Error.Flush();
    }

    /// <summary>
    /// Text that came from the web or a log, fit for a terminal: control characters, with which a page's title could
    /// move the cursor or set the window's name, become <c>�</c>.
    /// </summary>
    public static string Clean(string text) =>
        text.Any(Dangerous) ? string.Create(text.Length, text, (to, from) =>
        {
            for (var i = 0; i < from.Length; i++)
            {
                to[i] = Dangerous(from[i]) ? '\uFFFD' : from[i];
            }
        }) : text;

    private static void Guard(Action write)
    {
        try
        {
            write();
        }
        catch (IOException gone)
        {
            throw new BrokenPipeException(gone);
        }
    }

    private static bool Dangerous(char c) =>
        char.IsControl(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static IAnsiConsole Create(TextWriter writer, bool terminal)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = terminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = terminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = terminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!terminal)
        {
            console.Profile.Width = NoWrap;
        }

        return console;
    }
}
