using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>One part of a mail, with {{placeholders}}. A line that has a placeholder for which the order has nothing is left out.</summary>
public sealed class MailTemplate
{
    /// <summary>Characters of a file.</summary>
    public const int MaxLength = 64 * 1024;

    /// <summary>What can stand between {{ and }}; see <see cref="MailValues"/>.</summary>
    public static readonly ImmutableArray<string> Placeholders =
    [
        "customer",
        "date",
        "lines",
        "notes",
        "order",
        "payBefore",
        "shop",
        "total",
        "unpaid",
    ];

    private readonly ImmutableArray<ImmutableArray<Piece>> _lines;

    private MailTemplate(ImmutableArray<ImmutableArray<Piece>> lines, bool isHtml)
    {
        _lines = lines;
        IsHtml = isHtml;
    }

    public bool IsHtml { get; }

    /// <param name="file">Its name, for messages.</param>
    /// <param name="firstLine">The number of the text's first line in the file.</param>
    /// <param name="errors">A sentence for each thing that is wrong, each with file and line; the template is null when there are
    /// any.</param>
    public static MailTemplate? Parse(string file, string text, bool isHtml, int firstLine, ICollection<string> errors)
    {
        var before = errors.Count;
        var lines = ImmutableArray.CreateBuilder<ImmutableArray<Piece>>();
        var number = firstLine;
        foreach (var line in text.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n'))
        {
            if (Pieces(line, out var error) is { } pieces)
            {
                lines.Add(pieces);
            }
            else
            {
                errors.Add(string.Create(CultureInfo.InvariantCulture, $"{file}:{number}: {error}"));
            }

            number++;
        }

        return errors.Count == before ? new(lines.ToImmutable(), isHtml) : null;
    }

    /// <summary>Line ends are "\n"; in HTML every value is escaped.</summary>
    public string Fill(MailValues values)
    {
        var text = new StringBuilder();
        foreach (var line in _lines)
        {
            var filled = line.Select(piece => piece.IsPlaceholder ? values.Find(piece.Text, IsHtml) : piece.Text).ToList();
            if (!filled.Contains(null))
            {
                text.AppendJoin("", filled).Append('\n');
            }
        }

        return text.ToString();
    }

    private static ImmutableArray<Piece>? Pieces(string line, out string error)
    {
        error = "";
        var pieces = ImmutableArray.CreateBuilder<Piece>();
        var rest = line;
        while (rest.IndexOf("{{", StringComparison.Ordinal) is >= 0 and var open)
        {
            var close = rest.IndexOf("}}", open, StringComparison.Ordinal);
            if (close < 0)
            {
                error = "\"{{\" is not closed by \"}}\" on its line.";
                return null;
            }

            var name = rest[(open + 2)..close].Trim();
            if (!Placeholders.Contains(name))
            {
                error =
                    $"\"{{{{{(name.Length > 40 ? name[..40] + "…" : name)}}}}}\" is no placeholder; there are "
                    + $"{string.Join(", ", Placeholders)}.";
                return null;
            }

            if (open > 0)
            {
                pieces.Add(new(rest[..open], IsPlaceholder: false));
            }

            pieces.Add(new(name, IsPlaceholder: true));
            rest = rest[(close + 2)..];
        }

        pieces.Add(new(rest, IsPlaceholder: false));
        return pieces.ToImmutable();
    }

    private readonly record struct Piece(string Text, bool IsPlaceholder);
}
