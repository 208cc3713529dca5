namespace Grains.Interfaces.Values;

/// <summary>How far a name that somebody typed is from one that there is.</summary>
public static class Spelling
{
    /// <summary>
    /// The fewest edits that make one text of the other, without case: add, drop or change a character, or swap two neighbours (optimal
    /// string alignment). Takes time and memory of the product of the lengths.
    /// </summary>
    public static int Edits(string one, string other)
    {
        var edits = new int[one.Length + 1, other.Length + 1];
        for (var i = 0; i <= one.Length; i++)
        {
            for (var j = 0; j <= other.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    edits[i, j] = i + j;
                    continue;
                }

                var change = edits[i - 1, j - 1] + (Same(one[i - 1], other[j - 1]) ? 0 : 1);
                edits[i, j] = Math.Min(change, Math.Min(edits[i - 1, j], edits[i, j - 1]) + 1);
                if (i > 1 && j > 1 && Same(one[i - 1], other[j - 2]) && Same(one[i - 2], other[j - 1]))
                {
                    edits[i, j] = Math.Min(edits[i, j], edits[i - 2, j - 2] + 1);
                }
            }
        }

        return edits[one.Length, other.Length];
    }

    private static bool Same(char one, char other) => char.ToUpperInvariant(one) == char.ToUpperInvariant(other);
}
