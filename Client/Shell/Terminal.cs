using System.Text;
using System.Text.Json;
using Grains.Interfaces.Values;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Client.Shell;

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

    public Terminal(
        TextWriter output,
        TextWriter error,
        bool outputIsTerminal,
        bool errorIsTerminal,
        Func<string, CancellationToken, Task<bool>> confirm,
        TimeProvider clock
    )
    {
        Output = new GuardedWriter(output, OutputFailed);
        Error = new GuardedWriter(error, failure => ErrorFailed |= !OutputException.IsClosedPipe(failure));
        OutputIsTerminal = outputIsTerminal;
        ErrorIsTerminal = errorIsTerminal;
        Confirm = confirm;
        Clock = clock;
        _console = new(() => Create(new(output, Output), outputIsTerminal));
        _errorConsole = new(() => Create(new(error, Error), errorIsTerminal));
    }

    /// <summary>
    /// Whoever writes here gets a <see cref="BrokenPipeException"/> when nobody reads any more, an <see cref="OutputException"/> when it
    /// cannot be written.
    /// </summary>
    public TextWriter Output { get; }

    /// <summary>A part of a result was written: the verb cannot be run again without saying it twice.</summary>
    public bool HasOutput => Output is GuardedWriter { HasWritten: true };

    /// <summary>What cannot be written here is dropped: there is no other place to say it.</summary>
    public TextWriter Error { get; }

    /// <summary>Something was to be told on the error output and could not be.</summary>
    public bool ErrorFailed { get; private set; }

    public bool OutputIsTerminal { get; }

    public bool ErrorIsTerminal { get; }

    /// <summary>Asks a yes-or-no question of the person at the terminal, and throws when it is cancelled; only for terminals.</summary>
    public Func<string, CancellationToken, Task<bool>> Confirm { get; }

    public TimeProvider Clock { get; }

    /// <summary>Results and warnings alone are wanted: notes are dropped, and of lists only ids are written.</summary>
    public bool IsQuiet { get; set; }

    /// <summary>Opens an address in the person's browser; false where there is none.</summary>
    public Func<Uri, bool> Browse { get; init; } = _ => false;

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
            async (question, cancel) =>
                !System.Console.IsInputRedirected
                && await new ConfirmationPrompt(Markup.Escape(Clean(question))) { DefaultValue = false }.ShowAsync(
                    AnsiConsole.Console,
                    cancel
                ),
            TimeProvider.System
        )
        {
            Browse = Browser.Open,
        };
    }

    /// <summary>One line of a result, for people: what could steer a terminal is replaced, also on a pipe, which may end in one.</summary>
    public void Line(string text)
    {
        Output.WriteLine(TerminalText.CleanLines(text));
        Output.Flush();
    }

    /// <summary>
    /// Part of a result for programs, as it is; it may wait for what follows until <see cref="Flush"/>. Where a person looks at it, what
    /// could steer the terminal is spelled
    /// as JSON spells it.
    /// </summary>
    public void Text(string text) => Output.Write(OutputIsTerminal ? TerminalText.Spell(text) : text);

    /// <summary>A whole result for programs, with a line end.</summary>
    public void Document(string text)
    {
        Text(text);
        Output.WriteLine();
        Output.Flush();
    }

    public void Flush() => Output.Flush();

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
    public void Json<T>(T value) => Document(JsonSerializer.Serialize(value, JsonForm.Options));

    /// <summary>A sentence about what went wrong; an object for programs.</summary>
    public void Fail(string sentence, bool json)
    {
        if (json)
        {
            var error = JsonSerializer.Serialize(new { error = sentence }, JsonForm.Options);
            Error.WriteLine(ErrorIsTerminal ? TerminalText.Spell(error) : error);
        }
        else if (ErrorIsTerminal)
        {
            // A sentence may have lines: a query, and a caret below the sign that is wrong.
            ErrorConsole.MarkupLineInterpolated($"[red]{TerminalText.CleanLines(sentence)}[/]");
        }
        else
        {
            Error.WriteLine(TerminalText.CleanLines(sentence));
        }

        Error.Flush();
    }

    /// <summary>A sentence that is no result and no failure: what is happening meanwhile, what could be done next.</summary>
    public void Note(string sentence)
    {
        if (!IsQuiet)
        {
            Warn(sentence);
        }
    }

    /// <summary>A sentence about the result that nobody may miss: that something was cut off, left out or refused.</summary>
    public void Warn(string sentence)
    {
        Error.WriteLine(Clean(sentence));
        Error.Flush();
    }

    /// <summary>Text that came from the web or a log, fit for a line on a terminal.</summary>
    public static string Clean(string text) => TerminalText.Clean(text);

    private static void OutputFailed(Exception failure) =>
        throw (OutputException.IsClosedPipe(failure) ? new BrokenPipeException(failure) : new OutputException(failure));

    private static IAnsiConsole Create(SpectreOutput output, bool terminal)
    {
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = output,
                Ansi = terminal ? AnsiSupport.Detect : AnsiSupport.No,
                ColorSystem = terminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
                Interactive = terminal ? InteractionSupport.Detect : InteractionSupport.No,
            }
        );
        console.Pipeline.Attach(new CleanRendering());
        if (!terminal)
        {
            console.Profile.Width = NoWrap;
        }

        return console;
    }

    /// <summary>What Spectre asks of a terminal it asks of the process's own writer; what it writes goes through the guarded one.</summary>
    private sealed class SpectreOutput(TextWriter asked, TextWriter written) : IAnsiConsoleOutput
    {
        private readonly AnsiConsoleOutput _asked = new(asked);

        public TextWriter Writer => written;

        public bool IsTerminal => _asked.IsTerminal;

        public int Width => _asked.Width;

        public int Height => _asked.Height;

        public void SetEncoding(Encoding encoding) => _asked.SetEncoding(encoding);
    }

    /// <summary>The last look at all that Spectre draws: no text of it steers the terminal, whoever forgot to clean it.</summary>
    private sealed class CleanRendering : IRenderHook
    {
        public IEnumerable<IRenderable> Process(RenderOptions options, IEnumerable<IRenderable> renderables) =>
            renderables.Select(renderable => new Cleaned(renderable));

        private sealed class Cleaned(IRenderable drawn) : IRenderable
        {
            public Measurement Measure(RenderOptions options, int maxWidth) => drawn.Measure(options, maxWidth);

            public IEnumerable<Segment> Render(RenderOptions options, int maxWidth) => drawn.Render(options, maxWidth).Select(Clean);

            private static Segment Clean(Segment segment)
            {
                if (segment.IsControlCode || segment.IsLineBreak)
                {
                    return segment;
                }

                var clean = TerminalText.CleanLines(segment.Text);
                return clean == segment.Text ? segment : new(clean, segment.Style);
            }
        }
    }
}
