using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using AngleSharp.Css.Dom;
using AngleSharp.Css.Parser;

namespace Grains.Crawling.Fields;

/// <summary>
/// A field that a crawl reads out of HTML pages, as it is typed: <c>NAME=SELECTOR</c> is the first element that a CSS selector matches,
/// <c>NAME[]=SELECTOR</c> each of them; <c>@ATTRIBUTE</c> at the end takes an attribute in place of the element's text.
/// </summary>
public sealed class FieldSelector
{
    /// <summary>Of one crawl.</summary>
    public const int MaxFields = 50;

    /// <summary>Characters of a field as it is typed.</summary>
    public const int MaxLength = 1000;

    private const int MaxName = 60;

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-"
    );

    private static readonly SearchValues<char> AttributeCharacters = SearchValues.Create(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._:-"
    );

    private FieldSelector(string name, bool isAll, ISelector selector, string? attribute) =>
        (Name, IsAll, Selector, Attribute) = (name, isAll, selector, attribute);

    public string Name { get; }

    /// <summary>Each match is a value; else the first one is.</summary>
    public bool IsAll { get; }

    /// <summary>In lower case, as the DOM has the names of HTML; null: the text of the element.</summary>
    public string? Attribute { get; }

    internal ISelector Selector { get; }

    /// <summary>Every thing that is wrong with the fields of a crawl is a sentence of its own; none: each of them is good.</summary>
    public static ImmutableArray<string> Check(ImmutableArray<string> fields, out ImmutableArray<FieldSelector> read)
    {
        var good = ImmutableArray.CreateBuilder<FieldSelector>(fields.Length);
        var errors = ImmutableArray.CreateBuilder<string>();
        if (fields.Length > MaxFields)
        {
            errors.Add($"A crawl reads at most {MaxFields} fields; these are {fields.Length}.");
        }

        foreach (var text in fields.Take(MaxFields))
        {
            if (!TryParse(text, out var field, out var why))
            {
                errors.Add($"The field \"{Shown(text)}\" is refused: {why}");
            }
            else if (good.Any(other => other.Name == field.Name))
            {
                errors.Add($"There are two fields \"{field.Name}\".");
            }
            else
            {
                good.Add(field);
            }
        }

        read = good.ToImmutable();
        return errors.ToImmutable();
    }

    /// <param name="why">A sentence; of a selector it names the place of what is wrong.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out FieldSelector? field, [NotNullWhen(false)] out string? why)
    {
        field = null;
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (text.Length > MaxLength || equals < 0)
        {
            why = text.Length > MaxLength ? $"it has more than {MaxLength} characters." : "it is NAME=SELECTOR or NAME[]=SELECTOR.";
            return false;
        }

        var isAll = text.AsSpan(0, equals).EndsWith("[]");
        var name = text[..(isAll ? equals - 2 : equals)];
        if (name.Length is 0 or > MaxName || name.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            why = $"a name is 1 to {MaxName} letters, digits, \".\", \"_\" and \"-\".";
            return false;
        }

        var written = text[(equals + 1)..];
        var attribute = AttributeOf(written);
        var selector = attribute is null ? written : written[..^(attribute.Length + 1)];
        var parsed = Parsed(selector);
        if (parsed is null)
        {
            var place = Place(selector);
            var at = (equals + 2 + place).ToString(CultureInfo.InvariantCulture);
            why =
                place >= selector.TrimEnd().Length
                    ? $"at character {at} a CSS selector is missing."
                    : $"\"{Shown(selector[place..])}\" at character {at} is no CSS selector.";
            return false;
        }

        (field, why) = (new(name, isAll, parsed, attribute?.ToLowerInvariant()), null);
        return true;
    }

    /// <summary>What stands behind the last <c>@</c>, if it is the end of the text and a name; CSS has no <c>@</c> but in quotes.</summary>
    private static string? AttributeOf(string written)
    {
        var at = written.LastIndexOf('@');
        var name = written[(at + 1)..];
        var isEscaped = at > 0 && written[at - 1] == '\\';
        return at < 0 || isEscaped || name.Length == 0 || name.AsSpan().ContainsAnyExcept(AttributeCharacters) ? null : name;
    }

    private static ISelector? Parsed(string selector) =>
        string.IsNullOrWhiteSpace(selector) ? null : new CssSelectorParser().ParseSelector(selector);

    /// <summary>
    /// Where a selector that cannot be parsed goes wrong: a bracket or quote that is not closed, a combinator without a selector on a side
    /// of it, else the first compound selector that cannot be parsed by itself.
    /// </summary>
    private static int Place(string selector)
    {
        if (Unclosed(selector, out var pieces) is { } unclosed)
        {
            return unclosed;
        }

        var end = -1;
        var isAfterCombinator = true;
        foreach (var (start, length) in pieces)
        {
            var piece = selector.Substring(start, length);
            if (piece is "," or ">" or "+" or "~")
            {
                if (isAfterCombinator)
                {
                    return start;
                }

                isAfterCombinator = true;
            }
            else if (Parsed(piece) is null)
            {
                return start;
            }
            else
            {
                isAfterCombinator = false;
            }

            end = start + length;
        }

        return isAfterCombinator && end >= 0 ? end : 0;
    }

    /// <summary>
    /// The first bracket or quote that is not closed, or that closes nothing; null when there is none. Then <paramref name="pieces"/> are
    /// the compound selectors and the combinators between them, white space left out.
    /// </summary>
    private static int? Unclosed(string selector, out List<(int Start, int Length)> pieces)
    {
        pieces = [];
        var open = new Stack<(char Closing, int At)>();
        var start = -1;
        for (var i = 0; i < selector.Length; i++)
        {
            var c = selector[i];
            if (open.TryPeek(out var inner) && inner.Closing is '"' or '\'' && c is not '\\')
            {
                if (c == inner.Closing)
                {
                    open.Pop();
                }

                continue;
            }

            if (open.Count == 0 && (char.IsWhiteSpace(c) || c is ',' or '>' or '+' or '~'))
            {
                EndPiece(pieces, i);
                if (!char.IsWhiteSpace(c))
                {
                    pieces.Add((i, 1));
                }

                continue;
            }

            start = start < 0 ? i : start;
            switch (c)
            {
                case '\\':
                    i++;
                    break;
                case '[' or '(' or '"' or '\'':
                    open.Push(
                        (
                            c is '[' ? ']'
                            : c is '(' ? ')'
                            : c,
                            i
                        )
                    );
                    break;
                case ']' or ')' when !open.TryPop(out var opened) || opened.Closing != c:
                    return i;
            }
        }

        EndPiece(pieces, selector.Length);
        return open.Count > 0 ? open.Last().At : null;

        void EndPiece(List<(int Start, int Length)> found, int end)
        {
            if (start >= 0)
            {
                found.Add((start, end - start));
                start = -1;
            }
        }
    }

    private static string Shown(string text) => text.Length <= 60 ? text : $"{text[..60]}…";
}
