namespace Grains.Crawling.Pages;

internal static class Html
{
    /// <summary>What HTML calls ASCII whitespace.</summary>
    public const string Space = " \t\n\f\r";

    /// <summary>Whether a list of words between white space, as in <c>rel</c>, holds a word, without case.</summary>
    public static bool HasWord(ReadOnlySpan<char> words, string lowerCaseWord)
    {
        foreach (var part in words.SplitAny(Space))
        {
            if (words[part].Equals(lowerCaseWord, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
