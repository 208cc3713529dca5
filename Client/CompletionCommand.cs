using System.CommandLine;

namespace Client;

/// <summary><c>completion SHELL</c>: a script that asks the console itself for what may follow.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _silo_console() {
            local word=${COMP_WORDS[COMP_CWORD]} line=${COMP_LINE:0:COMP_POINT}
            mapfile -t COMPREPLY < <(compgen -W "$(silo-console "[suggest:${#line}]" "$line" 2>/dev/null)" -- "$word")
        }
        complete -o default -F _silo_console silo-console
        """;

    private const string Zsh = """
        #compdef silo-console
        _silo_console() {
            local line="${words[*]}"
            compadd -- ${(f)"$(silo-console "[suggest:${#line}]" "$line" 2>/dev/null)"} || _files
        }
        compdef _silo_console silo-console
        """;

    private const string Fish = """
        complete -c silo-console -a '(silo-console "[suggest:"(string length -- (commandline -cp))"]" (commandline -cp) 2>/dev/null)'
        """;

    private const string PowerShell = """
        Register-ArgumentCompleter -Native -CommandName silo-console -ScriptBlock {
            param($word, $line, $position)
            silo-console "[suggest:$position]" "$line" | Where-Object { $_ -like "$word*" } |
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
                session.Terminal.Document(
                    parsed.GetRequiredValue(shell) switch
                    {
                        "zsh" => Zsh,
                        "fish" => Fish,
                        "pwsh" => PowerShell,
                        _ => Bash,
                    }
                );
                return Task.FromResult(ExitCode.Done);
            }
        );
    }
}
