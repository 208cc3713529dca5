using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Grains.Crawling.Urls;

/// <summary>
/// An include or exclude pattern as somebody typed it, held against canonical URLs: a glob over the whole URL, or between slashes a regular
/// expression
/// that may match anywhere in it. Both are matched without backtracking. Letters beyond ASCII in a glob stand for their percent escapes.
/// </summary>
internal sealed class UrlPattern
{
    /// <summary>In characters.</summary>
    public const int MaxLength = CanonicalUrl.MaxLength;

    private static readonly SearchValues<char> PlainInGlob = SearchValues.Create(
        string.Concat(Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c)).Replace("%", "", StringComparison.Ordinal)
    );

    private readonly Glob? _glob;
    private readonly Regex? _regex;

    private UrlPattern(string text, Glob? glob, Regex? regex)
    {
        Text = text;
        _glob = glob;
        _regex = regex;
    }

    public string Text { get; }

    /// <param name="error">When refused, the rest of a sentence that begins with the pattern; characters are counted from 1.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out UrlPattern? pattern, [NotNullWhen(false)] out string? error)
    {
        pattern = null;
        if (text.Length is 0 or > MaxLength)
        {
            error = $"has {text.Length} characters; 1 to {MaxLength} are wanted";
            return false;
        }

        var control = text.AsSpan().IndexOfAnyInRange('\0', '\u001f');
        if (control >= 0)
        {
            error = $"has a control character at character {control + 1}, which is in no URL";
            return false;
        }

        return text.Length > 2 && text[0] == '/' && text[^1] == '/'
            ? TryParseRegex(text, out pattern, out error)
            : TryParseGlob(text, out pattern, out error);
    }

    public bool IsMatch(CanonicalUrl url) => _glob?.IsMatch(url.Text) ?? _regex!.IsMatch(url.Text);

    private static bool TryParseRegex(string text, out UrlPattern? pattern, out string? error)
    {
        pattern = null;
        try
        {
            var regex = new Regex(text[1..^1], RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            pattern = new(text, null, regex);
            error = null;
            return true;
        }
        catch (RegexParseException fault)
        {
            error = $"is no regular expression: after character {fault.Offset + 1}: {Reason(fault)}";
        }
        catch (NotSupportedException fault)
        {
            error =
                "uses what cannot be matched in linear time, such as look-around, back-references and atomic groups, "
                + $"or grows too large: {fault.Message.TrimEnd('.')}";
        }

        return false;
    }

    /// <summary>The runtime's message without its repetition of the pattern and the offset.</summary>
    private static string Reason(RegexParseException fault)
    {
        var head = string.Create(CultureInfo.InvariantCulture, $" at offset {fault.Offset}. ");
        var at = fault.Message.IndexOf(head, StringComparison.Ordinal);
        return (at < 0 ? fault.Message : fault.Message[(at + head.Length)..]).TrimEnd('.');
    }

    private static bool TryParseGlob(string text, out UrlPattern? pattern, out string? error)
    {
        pattern = null;
        var hash = text.IndexOf('#', StringComparison.Ordinal);
        if (hash >= 0)
        {
            error = $"can match no URL: it has a # at character {hash + 1}, and URLs are compared without their fragment";
            return false;
        }

        var writer = new UrlWriter(new char[9 * text.Length]);
        writer.AppendEscaped(text, PlainInGlob);
        var glob = new Glob(writer.Written.ToString(), onePerQuestionMark: true);
        var wrong = Math.Min(FirstDifference(glob.Prefix, "http://"), FirstDifference(glob.Prefix, "https://"));
        if (wrong > 0)
        {
            error =
                $"can match no URL, because of character {wrong}: a glob is held against the whole URL, "
                + "so begin it with * or http (a regular expression stands between slashes)";
            return false;
        }

        pattern = new(text, glob, null);
        error = null;
        return true;
    }

    /// <summary>Counted from 1; 0 when the glob's beginning fits.</summary>
    private static int FirstDifference(string prefix, string scheme)
    {
        for (var i = 0; i < Math.Min(prefix.Length, scheme.Length); i++)
        {
            if (prefix[i] != scheme[i] && prefix[i] != '?')
            {
                return i + 1;
            }
        }

        return 0;
    }
}
