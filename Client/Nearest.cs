namespace Client;

/// <summary>Finds the name that was probably meant.</summary>
internal static class Nearest
{
    /// <summary>
    /// The nearest of <paramref name="names"/>: one that <paramref name="typed"/> begins or that begins it, else the one with the
    /// fewest edits (optimal string alignment: insert, delete, replace, swap neighbours), at most one edit for every three characters.
    /// Null when none is near.
    /// </summary>
    public static string? Of(string typed, IEnumerable<string> names) =>
        names
            .Select(name => (Name: name, Edits: Edits(typed, name)))
            .Where(near => near.Edits <= Math.Max(1, typed.TrimStart('-').Length / 3) || IsBeginning(typed, near.Name))
            .OrderBy(near => near.Edits)
            .ThenBy(near => near.Name, StringComparer.Ordinal)
            .Select(near => near.Name)
            .FirstOrDefault();

    private static bool IsBeginning(string typed, string name) =>
        typed.TrimStart('-').Length >= 3
        && (name.StartsWith(typed, StringComparison.Ordinal) || (name.Length > 4 && typed.StartsWith(name, StringComparison.Ordinal)));

    private static int Edits(string a, string b)
    {
        var edits = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    edits[i, j] = i + j;
                    continue;
                }

                var replace = edits[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                edits[i, j] = Math.Min(replace, Math.Min(edits[i - 1, j], edits[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    edits[i, j] = Math.Min(edits[i, j], edits[i - 2, j - 2] + 1);
                }
            }
        }

        return edits[a.Length, b.Length];
    }
}
