using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using Grains.Crawling.Pages;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Fields;

/// <summary>
/// Reads out of a page what a crawl asks for: fields by selector out of HTML, and the text. Everything it reads is bounded; what a bound
/// cuts off is named in <see cref="PageExtract.Cut"/>.
/// </summary>
/// <remarks>Safe to share between threads.</remarks>
internal sealed class PageExtractor
{
    /// <summary>Characters of one value.</summary>
    public const int MaxValue = 16 * 1024;

    /// <summary>Values of one field.</summary>
    public const int MaxValues = 1000;

    /// <summary>Characters of all values of a page: even escaped they fit into one row beside <see cref="MaxText"/>.</summary>
    public const int MaxValuesOfPage = 32 * 1024;

    /// <summary>Characters of the text.</summary>
    public const int MaxText = 32 * 1024;

    /// <summary>Elements of a page in which fields are looked for: a selector may cost the square of it.</summary>
    public const int MaxElements = 50_000;

    /// <summary>Elements deeper than that are taken for siblings of the deepest one, as in browsers.</summary>
    private const int MaxDepth = 512;

    private readonly ImmutableArray<FieldSelector> _fields;
    private readonly bool _withText;

    private PageExtractor(ImmutableArray<FieldSelector> fields, CrawlSpec spec)
    {
        (_fields, _withText) = (fields, spec.Text);
        var asked = string.Join('\n', spec.Fields.Append(spec.Text ? "text" : ""));
        Asked = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(asked)))[..16];
    }

    /// <summary>Stands for what is read: alike in two crawls that ask for the same.</summary>
    public string Asked { get; }

    /// <summary>Null when the crawl asks for nothing.</summary>
    /// <exception cref="FormatException">A field of the crawl cannot be read, though it was checked when the crawl began.</exception>
    public static PageExtractor? Of(CrawlSpec spec)
    {
        if (spec.Fields.IsEmpty && !spec.Text)
        {
            return null;
        }

        var errors = FieldSelector.Check(spec.Fields, out var fields);
        return errors.IsEmpty ? new(fields, spec) : throw new FormatException(string.Join(' ', errors));
    }

    /// <param name="body">Decoded.</param>
    /// <param name="type">What it is; only of HTML and XHTML there are fields, only of texts there is a text.</param>
    /// <param name="isMarkup">It was read as HTML, whatever its type says: XML whose root is XHTML.</param>
    /// <param name="isCut">The body is not here whole.</param>
    public PageExtract Read(ReadOnlySpan<byte> body, ContentType type, bool isMarkup, bool isCut)
    {
        var cut = ImmutableArray.CreateBuilder<string>();
        var decoded = PageText.Decode(body, type, isCut);
        var values =
            decoded is not null && isMarkup && !_fields.IsEmpty ? Values(decoded, cut)
            : _fields.IsEmpty ? []
            : [.. _fields.Select(field => new FieldValue(field.Name, []))];
        string? text = null;
        if (_withText && decoded is not null)
        {
            text = isMarkup ? ReadingText.Of(decoded, type.IsXml) : decoded;
            if (text.Length > MaxText)
            {
                text = Start(text, MaxText);
                cut.Add(PageExtract.TextName);
            }
        }

        return new()
        {
            Asked = Asked,
            Fields = values,
            Text = text,
            Cut = cut.ToImmutable(),
        };
    }

    private ImmutableArray<FieldValue> Values(string html, ImmutableArray<string>.Builder cut)
    {
        var elements = Elements(html, out var isPartial);
        var left = MaxValuesOfPage;
        var fields = ImmutableArray.CreateBuilder<FieldValue>(_fields.Length);
        foreach (var field in _fields)
        {
            var isCut = isPartial;
            var values = ImmutableArray.CreateBuilder<string>();
            foreach (var element in elements.Where(element => field.Selector.Match(element, null)))
            {
                if (field.Attribute is not null && element.GetAttribute(field.Attribute) is null)
                {
                    continue;
                }

                if (values.Count == MaxValues || left <= 0)
                {
                    isCut = true;
                    break;
                }

                var value = Value(element, field.Attribute, Math.Min(left, MaxValue), ref isCut);
                left -= Math.Max(1, value.Length);
                values.Add(value);
                if (!field.IsAll)
                {
                    break;
                }
            }

            fields.Add(new(field.Name, values.ToImmutable()));
            if (isCut)
            {
                cut.Add(PageExtract.NameOf(field.Name));
            }
        }

        return fields.ToImmutable();
    }

    /// <summary>In the order of the page, at most <see cref="MaxElements"/>.</summary>
    private static List<IElement> Elements(string html, out bool isPartial)
    {
        var made = 0;
        var parser = new HtmlParser(
            new HtmlParserOptions
            {
                MaximumDepth = MaxDepth,
                SkipComments = true,
                OnCreated = (element, _) =>
                {
                    if (++made > MaxElements)
                    {
                        throw new TooManyElementsException(element.Owner!);
                    }
                },
            }
        );
        IDocument document;
        try
        {
            (document, isPartial) = (parser.ParseDocument(html), false);
        }
        catch (TooManyElementsException many)
        {
            (document, isPartial) = (many.Document, true);
        }

        var elements = new List<IElement>(Math.Min(made, MaxElements));
        Add(document);
        return elements;

        // No deeper than MaxDepth.
        void Add(INode parent)
        {
            foreach (var child in parent.ChildNodes)
            {
                if (child is IElement element)
                {
                    elements.Add(element);
                    Add(element);
                }
            }
        }
    }

    private static string Value(IElement element, string? attribute, int most, ref bool isCut)
    {
        if (attribute is null)
        {
            return Text(element, most, ref isCut);
        }

        var value = element.GetAttribute(attribute)!;
        isCut |= value.Length > most;
        return Start(value, most);
    }

    /// <summary>The text content of the DOM, white space collapsed, that at the ends left out.</summary>
    private static string Text(IElement element, int most, ref bool isCut)
    {
        var text = new StringBuilder();
        var isSpace = false;
        Append(element);
        if (text.Length > most)
        {
            isCut = true;
        }

        return Start(text.ToString(), most);

        void Append(INode parent)
        {
            foreach (var child in parent.ChildNodes)
            {
                if (text.Length > most)
                {
                    return;
                }

                if (child is IText { Data: var data })
                {
                    AppendRun(data);
                }
                else
                {
                    Append(child);
                }
            }
        }

        void AppendRun(string run)
        {
            foreach (var c in run)
            {
                if (Html.Space.Contains(c))
                {
                    isSpace = true;
                    continue;
                }

                if (isSpace && text.Length > 0)
                {
                    text.Append(' ');
                }

                isSpace = false;
                text.Append(c);
                if (text.Length > most)
                {
                    return;
                }
            }
        }
    }

    /// <summary>Half a character is none.</summary>
    private static string Start(string text, int most) =>
        text.Length <= most ? text
        : most > 0 && char.IsHighSurrogate(text[most - 1]) ? text[..(most - 1)]
        : text[..most];

    private sealed class TooManyElementsException(IDocument document) : Exception
    {
        public IDocument Document => document;
    }
}
