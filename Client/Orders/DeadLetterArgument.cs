using System.CommandLine.Parsing;
using System.Globalization;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary>The dead letter that a verb is about: its id, or how it begins.</summary>
internal static class DeadLetterArgument
{
    /// <summary>Dead letters that are looked through for those whose id begins so.</summary>
    public const int MaxSearched = 10_000;

    public const string Description = "One dead letter, as the list has it, or how its id begins: mail/3/1f.";

    /// <summary>Refuses, before a connection is made, what no dead letter's id begins with.</summary>
    public static void RefuseWhatIsNoId(ArgumentResult result)
    {
        foreach (var token in result.Tokens.Where(token => !IsBeginning(token.Value)))
        {
            result.AddError($"\"{token.Value}\" is no dead letter's id, nor the beginning of one: it would look like mail/3/1f");
        }
    }

    /// <summary>
    /// The dead letter of this id, or the only one whose id begins so. A whole id may be the beginning of others: it wins.
    /// </summary>
    /// <exception cref="ConsoleException">
    /// There is none, there are several, or more than <see cref="MaxSearched"/> would have to be looked through.
    /// </exception>
    public static async Task<DeadLetter> Find(ISubscriberListGrain desk, string text, CancellationToken cancel)
    {
        if (DeadLetterId.TryParse(text, out var whole) && await desk.DeadLetter(whole, cancel) is { } exact)
        {
            return exact;
        }

        var subscriber = text.Contains('/', StringComparison.Ordinal) ? text.Split('/')[0] : null;
        var found = new Dictionary<string, DeadLetter>(StringComparer.Ordinal);
        var searched = 0;
        DeadLetterId? after = null;
        do
        {
            if (searched >= MaxSearched)
            {
                throw new ConsoleException(
                    $"More than {MaxSearched.ToString("N0", CultureInfo.InvariantCulture)} dead letters would have to be "
                        + $"looked through for \"{Terminal.Clean(text)}\": type the whole id."
                );
            }

            var page = await desk.DeadLetters(new(subscriber, Reason: null, ISubscriberGrain.MaxTake, after), cancel);
            foreach (var letter in page.Letters)
            {
                var id = DeadLetterId.Of(letter).ToString();
                if (id.StartsWith(text, StringComparison.Ordinal))
                {
                    found[id] = letter;
                }
            }

            (searched, after) = (searched + ISubscriberGrain.MaxTake, page.After);
        } while (after is not null && found.Count < IdPrefix.MaxCandidates);

        return IdPrefix.One(text, "dead letters", found.Keys) is { } one ? found[one] : throw None(text);
    }

    public static ConsoleException None(string text) =>
        new($"There is no dead letter \"{Terminal.Clean(text)}\"; \"orders dead-letters list\" shows those that there are.");

    private static bool IsBeginning(string text) =>
        text.Split('/') is [{ Length: > 0 } name, .. var rest]
        && SubscriberKey.IsName(name)
        && rest switch
        {
            [] => true,
            [var partition] => partition.Length <= 2 && partition.All(char.IsAsciiDigit),
            [var partition, var revision] => partition.Length is 1 or 2
                && partition.All(char.IsAsciiDigit)
                && revision.Length <= 16
                && revision.All(char.IsAsciiHexDigitLower),
            _ => false,
        };
}
