using System.CommandLine;
using System.CommandLine.Invocation;

namespace Client.Shell;

/// <summary>What all verbs share: the global options, a session each, and how their failures become a sentence and an exit code.</summary>
internal sealed class Verbs(Terminal terminal, OpenCluster open, Func<string, string?> environment, FollowPace pace)
{
    /// <summary>After Ctrl-C, for what must be put away: a child process, a folder.</summary>
    private static readonly TimeSpan TimeToLeave = TimeSpan.FromSeconds(20);

    public GlobalOptions Options { get; } = new();

    /// <summary>Gives a command what it does. <paramref name="act"/> answers an <see cref="ExitCode"/>.</summary>
    public Command Act(Command command, Func<Session, ParseResult, CancellationToken, Task<int>> act)
    {
        command.SetAction((parsed, cancel) => Run(parsed, act, cancel));
        return command;
    }

    /// <summary>
    /// Gives a command that only reads what it does. When a silo goes away before anything was printed, the question is asked again at
    /// another one: a cluster takes some seconds to notice that a silo died, and nothing is changed by asking twice.
    /// </summary>
    public Command Read(Command command, Func<Session, ParseResult, CancellationToken, Task<int>> read) =>
        Act(command, (session, parsed, cancel) => Repeat(session, token => read(session, parsed, token), cancel));

    public async Task<int> Run(RootCommand root, IReadOnlyList<string> args, CancellationToken cancel = default)
    {
        if (args.Count == 0)
        {
            args = ["--help"];
        }

        var parsed = root.Parse(args);
        if (IsVerb(parsed) && Usage.Faults(parsed, args) is { Count: > 0 } faults)
        {
            Refuse(parsed, Usage.Of(parsed, args), faults);
            return ExitCode.WrongUsage;
        }

        var code = await Invoke(parsed, cancel);
        return code == ExitCode.Done && terminal.ErrorFailed ? ExitCode.Failed : code;
    }

    /// <summary>Only whoever stops reading ends it quietly; everything else that cannot be written is a failure, of the help too.</summary>
    private async Task<int> Invoke(ParseResult parsed, CancellationToken cancel)
    {
        try
        {
            var code = await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = terminal.Output,
                    Error = terminal.Error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = TimeToLeave,
                },
                cancel
            );
            terminal.Flush();
            return code;
        }
        catch (BrokenPipeException)
        {
            return ExitCode.Done;
        }
        catch (OutputException failure)
        {
            terminal.Fail(failure.Message, parsed.GetResult(Options.Json) is { Implicit: false });
            return ExitCode.Failed;
        }
    }

    private async Task<int> Run(ParseResult parsed, Func<Session, ParseResult, CancellationToken, Task<int>> act, CancellationToken cancel)
    {
        var json = parsed.GetValue(Options.Json);
        terminal.IsQuiet = parsed.GetValue(Options.Quiet);
        try
        {
            await using var session = new Session(terminal, json, Options.Address(parsed, environment), open, pace);
            return await act(session, parsed, cancel);
        }
        catch (ConsoleException told)
        {
            terminal.Fail(told.Message, json);
            return told.Code;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            terminal.Fail("Stopped before it was done.", json);
            return ExitCode.Failed;
        }
        catch (Exception failure) when (failure is BrokenPipeException or OutputException)
        {
            throw;
        }
        catch (TimeoutException)
        {
            terminal.Fail(
                $"The silo did not answer in time; \"cluster status\" shows how it is. Nothing is known of what became of "
                    + $"\"{Named(parsed)}\": look before you repeat it.",
                json
            );
            return ExitCode.Failed;
        }
        catch (Exception gone) when (Session.IsGone(gone))
        {
            terminal.Fail(
                $"The silo went away before it answered. Nothing is known of what became of \"{Named(parsed)}\": look before "
                    + $"you repeat it.",
                json
            );
            return ExitCode.NoSilo;
        }
        catch (Exception failure)
        {
            // The outermost place: whatever it was, the person gets a sentence and the shell a code.
            terminal.Fail($"It failed: {failure.Message.ReplaceLineEndings(" ")}", json);
            return ExitCode.Failed;
        }
    }

    private async Task<int> Repeat(Session session, Func<CancellationToken, Task<int>> read, CancellationToken cancel)
    {
        var clock = terminal.Clock;
        long? since = null;
        while (true)
        {
            try
            {
                if (since is not null)
                {
                    await session.Reopen(cancel);
                }

                return await read(cancel);
            }
            catch (Exception gone) when (!terminal.HasOutput && session.MayAskAgain(gone, since))
            {
                if (since is null)
                {
                    since = clock.GetTimestamp();
                    terminal.Note(
                        $"A silo went away before it answered. The question is asked again for up to {pace.Repeat.TotalSeconds:0} s."
                    );
                }
            }

            await Task.Delay(pace.Retry, clock, cancel);
        }
    }

    /// <summary>Not help, the version, or a directive such as <c>[suggest]</c>, which take what stands beside them as it is.</summary>
    private static bool IsVerb(ParseResult parsed) =>
        parsed.Action is ParseErrorAction || parsed.Action == parsed.CommandResult.Command.Action;

    private void Refuse(ParseResult parsed, Command at, IReadOnlyList<string> faults)
    {
        var command = Examples.PathOf(at) is { Length: > 0 } path ? path + " " : "";
        var sentences = string.Join(" ", faults.Select(fault => fault.EndsWith('?') ? fault : fault + "."));
        terminal.Fail($"{sentences} Try: {command}--help", parsed.GetResult(Options.Json) is { Implicit: false });
    }

    private static string Named(ParseResult parsed) => Examples.PathOf(parsed.CommandResult.Command);
}
