using Grains.Interfaces.Values;

namespace Client.Shell;

/// <summary>Finds the name that was probably meant.</summary>
internal static class Nearest
{
    /// <summary>
    /// The nearest of <paramref name="names"/>: one that <paramref name="typed"/> begins or that begins it, else the one with the
    /// fewest edits (<see cref="Spelling"/>), at most one for every three characters.
    /// Null when none is near.
    /// </summary>
    public static string? Of(string typed, IEnumerable<string> names) =>
        names
            .Select(name => (Name: name, Edits: Spelling.Edits(typed, name)))
            .Where(near => near.Edits <= Math.Max(1, typed.TrimStart('-').Length / 3) || IsBeginning(typed, near.Name))
            .OrderBy(near => near.Edits)
            .ThenBy(near => near.Name, StringComparer.Ordinal)
            .Select(near => near.Name)
            .FirstOrDefault();

    private static bool IsBeginning(string typed, string name) =>
        typed.TrimStart('-').Length >= 3
        && (name.StartsWith(typed, StringComparison.Ordinal) || (name.Length > 4 && typed.StartsWith(name, StringComparison.Ordinal)));
}
