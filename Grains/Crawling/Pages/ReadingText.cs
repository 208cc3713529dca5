using System.Text;

namespace Grains.Crawling.Pages;

/// <summary>
/// The text of an HTML page in reading order: what stands between tags, with its character references resolved and white space collapsed;
/// one
/// line for each block (paragraph, heading, list item, table row). What is in <c>head</c>, <c>script</c>, <c>style</c> and <c>template</c>
/// is
/// left out.
/// </summary>
internal static class ReadingText
{
    private static readonly HashSet<string> Blocks = new(StringComparer.OrdinalIgnoreCase)
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "caption",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "legend",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "option",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tr",
        "ul",
    };

    private static readonly HashSet<string> Unread = new(StringComparer.OrdinalIgnoreCase)
    {
        "script",
        "style",
        "template",
        "title",
        "iframe",
        "noembed",
        "noframes",
        "textarea",
    };

    public static string Of(ReadOnlySpan<char> html, bool isXml)
    {
        Span<HtmlScanner.Attribute> attributes = stackalloc HtmlScanner.Attribute[HtmlScanner.MaxAttributes];
        var scanner = new HtmlScanner(html, attributes, isXml);
        var blocks = Blocks.GetAlternateLookup<ReadOnlySpan<char>>();
        var unread = Unread.GetAlternateLookup<ReadOnlySpan<char>>();
        var text = new StringBuilder();
        var within = "";
        var pending = '\0';
        while (scanner.Read() is var token and not HtmlTokenKind.End)
        {
            switch (token)
            {
                case HtmlTokenKind.Text when within.Length == 0:
                    Append(text, scanner.TextHasReferences ? CharacterReferences.InText(scanner.Text) : scanner.Text, ref pending);
                    break;
                case HtmlTokenKind.StartTag when within.Length == 0 && unread.TryGetValue(scanner.Name, out var name):
                    within = isXml && scanner.SelfClosing ? "" : name;
                    break;
                case HtmlTokenKind.EndTag when within.Length > 0 && scanner.Is(within):
                    within = "";
                    break;
                case HtmlTokenKind.StartTag or HtmlTokenKind.EndTag when within.Length == 0:
                    if (blocks.Contains(scanner.Name))
                    {
                        pending = '\n';
                    }
                    else if (pending == '\0' && (scanner.Is("td") || scanner.Is("th")))
                    {
                        pending = ' ';
                    }

                    break;
            }
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, ReadOnlySpan<char> run, ref char pending)
    {
        foreach (var c in run)
        {
            if (c is ' ' or '\t' or '\n' or '\f' or '\r')
            {
                pending = pending == '\n' ? '\n' : ' ';
                continue;
            }

            if (pending != '\0' && text.Length > 0)
            {
                text.Append(pending);
            }

            pending = '\0';
            text.Append(c);
        }
    }
}
