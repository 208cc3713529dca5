using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;

namespace Client.Shell;

/// <summary>What is wrong with a command line, as sentences: unknown verbs and options with the name that was probably meant.</summary>
internal static partial class Usage
{
    /// <summary>Arguments whose text may begin with a hyphen: <c>logs query -timeout</c> means "not timeout".</summary>
    private static readonly string[] _freeText = ["query", "select", "rule"];

    /// <summary>The verb whose help is of use: where an unknown word stands the one before it, otherwise the one that was found.</summary>
    public static Command Of(ParseResult parsed, IReadOnlyList<string> args) =>
        UnknownVerb(parsed.RootCommandResult.Command, args)?.At ?? parsed.CommandResult.Command;

    /// <summary>Empty when nothing is wrong.</summary>
    /// <param name="parsed">The result of parsing <paramref name="args"/>.</param>
    /// <param name="args">As they were typed. What follows "--" is never taken for an option.</param>
    public static IReadOnlyList<string> Faults(ParseResult parsed, IReadOnlyList<string> args)
    {
        if (UnknownVerb(parsed.RootCommandResult.Command, args) is { } verb)
        {
            return [verb.Fault];
        }

        var command = parsed.CommandResult.Command;
        var unknown = parsed.UnmatchedTokens.Concat(OptionsTakenForArguments(parsed, args)).Distinct().ToArray();
        var options = unknown.Where(token => OptionLike().IsMatch(token)).Select(token => token.Split('=')[0]).ToArray();
        return options is not [] ? [.. options.Select(name => $"There is no option \"{name}\" here{Meant(name, OptionsOf(command))}")]
            : unknown is [var first, ..] ? [$"\"{first}\" is one argument too many"]
            : [.. parsed.Errors.Select(error => Sentence(error, command)).Distinct()];
    }

    /// <summary>The parser goes on after a word that it does not know, and then tells of what comes later.</summary>
    private static (string Fault, Command At)? UnknownVerb(Command command, IReadOnlyList<string> args)
    {
        foreach (var arg in args.TakeWhile(arg => !arg.StartsWith('-') && !arg.StartsWith('[')))
        {
            if (command.Subcommands.Count == 0)
            {
                return null;
            }

            if (command.Subcommands.FirstOrDefault(verb => verb.Name == arg || verb.Aliases.Contains(arg)) is not { } known)
            {
                if (command.Arguments.Count > 0)
                {
                    return null; // It is what the verb is about: "orders deliveries ID", beside "orders deliveries resend".
                }

                return ($"There is no verb \"{arg}\" here{Meant(arg, VerbsOf(command))}", command);
            }

            command = known;
        }

        return null;
    }

    /// <summary>The parser's own messages in the console's words; those of the console's validators are sentences already.</summary>
    private static string Sentence(ParseError error, Command command)
    {
        var message = error.Message.TrimEnd('.');
        var quoted = Quoted().Matches(message).Select(match => match.Groups[1].Value).ToArray();
        return message switch
        {
            "Required command was not provided" => $"A verb is missing: {string.Join(", ", VerbsOf(command))}",
            _ when message.StartsWith("Required argument missing for option", StringComparison.Ordinal) => $"{quoted[0]} needs a value",
            _ when message.StartsWith("Required argument", StringComparison.Ordinal) => $"The argument \"{quoted[0]}\" is missing",
            _ when message.StartsWith("Option", StringComparison.Ordinal) && message.EndsWith("is required", StringComparison.Ordinal) =>
                $"{quoted[0]} is missing",
            _ when message.StartsWith("Cannot parse argument", StringComparison.Ordinal) && quoted is [var text, .., var type] =>
                $"{NameOf(error)} is {(type.Contains("Int", StringComparison.Ordinal) ? "a whole number" : "something else")}; "
                    + $"this is \"{text}\"",
            _ when message.StartsWith("Argument", StringComparison.Ordinal) && quoted is [var odd, .. var allowed, var last] =>
                $"{NameOf(error)} is {string.Join(", ", allowed)} or {last}; this is \"{odd}\"",
            _ => message,
        };
    }

    private static string NameOf(ParseError error) =>
        error.SymbolResult switch
        {
            OptionResult option => option.Option.Name,
            ArgumentResult { Parent: OptionResult option } => option.Option.Name,
            ArgumentResult argument => $"\"{argument.Argument.Name}\"",
            _ => "This",
        };

    private static IEnumerable<string> VerbsOf(Command command) =>
        command.Subcommands.Where(verb => !verb.Hidden).Select(verb => verb.Name);

    private static IEnumerable<string> OptionsTakenForArguments(ParseResult parsed, IReadOnlyList<string> args)
    {
        var literal = args.SkipWhile(arg => arg != "--").ToHashSet(StringComparer.Ordinal);
        return parsed
            .CommandResult.Children.OfType<ArgumentResult>()
            .SelectMany(argument =>
                argument.Tokens.Where(token =>
                    (token.Value.StartsWith("--", StringComparison.Ordinal) || !_freeText.Contains(argument.Argument.Name))
                    && OptionLike().IsMatch(token.Value)
                )
            )
            .Select(token => token.Value)
            .Where(value => !literal.Contains(value));
    }

    private static string Meant(string typed, IEnumerable<string> names) =>
        Nearest.Of(typed, names) is { } name ? $"; did you mean \"{name}\"?" : "";

    private static IEnumerable<string> OptionsOf(Command command)
    {
        for (Command? at = command; at is not null; at = at.Parents.OfType<Command>().FirstOrDefault())
        {
            foreach (var option in at.Options.Where(option => !option.Hidden && (at == command || option.Recursive)))
            {
                yield return option.Name;
            }
        }
    }

    [GeneratedRegex("'([^']*)'", RegexOptions.CultureInvariant)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^--?[A-Za-z][A-Za-z0-9-]*(=.*)?\z", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex OptionLike();
}
