namespace Grains.Crawling.Urls;

/// <summary>
/// Literal text with <c>*</c> for any characters, also none, and if wanted <c>?</c> for exactly one; held against the whole text, case and
/// all.
/// Each piece between the stars is searched once, from where the last one ended, and nothing is tried twice: at worst text × piece, never
/// exponential.
/// </summary>
internal sealed class Glob
{
    private readonly string _first;
    private readonly string[] _middle;
    private readonly string? _last;
    private readonly bool _onePerQuestionMark;

    public Glob(string pattern, bool onePerQuestionMark)
    {
        var pieces = pattern.Split('*');
        _first = pieces[0];
        _middle = pieces.Length > 2 ? [.. pieces[1..^1].Where(piece => piece.Length > 0)] : [];
        _last = pieces.Length > 1 ? pieces[^1] : null;
        _onePerQuestionMark = onePerQuestionMark && pattern.Contains('?', StringComparison.Ordinal);
    }

    /// <summary>What stands before the first star.</summary>
    public string Prefix => _first;

    public bool IsMatch(ReadOnlySpan<char> text)
    {
        if (!StartsWith(text, _first))
        {
            return false;
        }

        text = text[_first.Length..];
        if (_last is null)
        {
            return text.IsEmpty;
        }

        foreach (var piece in _middle)
        {
            var at = IndexOf(text, piece);
            if (at < 0)
            {
                return false;
            }

            text = text[(at + piece.Length)..];
        }

        return text.Length >= _last.Length && StartsWith(text[^_last.Length..], _last);
    }

    private int IndexOf(ReadOnlySpan<char> text, string piece)
    {
        if (!_onePerQuestionMark)
        {
            return text.IndexOf(piece);
        }

        for (var at = 0; at + piece.Length <= text.Length; at++)
        {
            if (StartsWith(text[at..], piece))
            {
                return at;
            }
        }

        return -1;
    }

    private bool StartsWith(ReadOnlySpan<char> text, string piece)
    {
        if (!_onePerQuestionMark)
        {
            return text.StartsWith(piece);
        }

        if (text.Length < piece.Length)
        {
            return false;
        }

        for (var i = 0; i < piece.Length; i++)
        {
            if (piece[i] != '?' && piece[i] != text[i])
            {
                return false;
            }
        }

        return true;
    }
}
