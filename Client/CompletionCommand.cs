using System.CommandLine;

namespace Client;

/// <summary>
/// <c>completion SHELL</c>: a script that asks the console itself for what may follow. <c>PROGRAM</c> stands for its name as it is
/// installed.
/// </summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _complete_PROGRAM() {
            local word=${COMP_WORDS[COMP_CWORD]} line=${COMP_LINE:0:COMP_POINT}
            mapfile -t COMPREPLY < <(compgen -W "$(PROGRAM "[suggest:${#line}]" "$line" 2>/dev/null)" -- "$word")
        }
        complete -o default -F _complete_PROGRAM PROGRAM
        """;

    private const string Zsh = """
        #compdef PROGRAM
        _complete_PROGRAM() {
            local line="${words[*]}"
            compadd -- ${(f)"$(PROGRAM "[suggest:${#line}]" "$line" 2>/dev/null)"} || _files
        }
        compdef _complete_PROGRAM PROGRAM
        """;

    private const string Fish = """
        complete -c PROGRAM -a '(PROGRAM "[suggest:"(string length -- (commandline -cp))"]" (commandline -cp) 2>/dev/null)'
        """;

    private const string PowerShell = """
        Register-ArgumentCompleter -Native -CommandName PROGRAM -ScriptBlock {
            param($word, $line, $position)
            PROGRAM "[suggest:$position]" "$line" | Where-Object { $_ -like "$word*" } |
                ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
        }
        """;

    public static Command Create(Verbs verbs)
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh, fish or pwsh." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish", "pwsh");
        return verbs.Act(
            new("completion", "Print a script for a shell that completes verbs and options of this console.") { shell },
            (session, parsed, _) =>
            {
                var name = parsed.GetRequiredValue(shell);
                var form = name switch
                {
                    "zsh" => Zsh,
                    "fish" => Fish,
                    "pwsh" => PowerShell,
                    _ => Bash,
                };
                var script = form.Replace("PROGRAM", Examples.Program, StringComparison.Ordinal);
                if (session.Json)
                {
                    session.Terminal.Json(new { shell = name, script });
                }
                else
                {
                    session.Terminal.Document(script);
                }

                return Task.FromResult(ExitCode.Done);
            }
        );
    }
}
