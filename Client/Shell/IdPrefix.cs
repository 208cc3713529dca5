namespace Client.Shell;

/// <summary>
/// The beginning of an id is enough where it is the beginning of one id only. Who looks for the ids stops at
/// <see cref="MaxCandidates"/>: more are never named.
/// </summary>
internal static class IdPrefix
{
    /// <summary>Ids that are looked for at most: one more than are named, to know whether there are more.</summary>
    public const int MaxCandidates = MaxNamed + 1;

    private const int MaxNamed = 5;

    /// <param name="typed">The beginning of an id.</param>
    /// <param name="things">What has such ids, in the plural.</param>
    /// <param name="candidates">Ids that begin so, the first <see cref="MaxCandidates"/> at least.</param>
    /// <returns>Null when no id begins so.</returns>
    /// <exception cref="ConsoleException">Several do: the sentence names the first.</exception>
    public static string? One(string typed, string things, IEnumerable<string> candidates) =>
        candidates.Take(MaxCandidates).ToArray() switch
        {
            [] => null,
            [var one] => one,
            var several => throw new ConsoleException(
                $"\"{Terminal.Clean(typed)}\" is the beginning of several {things}: {string.Join(", ", several.Take(MaxNamed))}"
                    + $"{(several.Length > MaxNamed ? " and more" : "")}. Type more of the id."
            ),
        };
}
