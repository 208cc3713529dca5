using System.Text;
using AngleSharp.Html;
using AngleSharp.Html.Parser;
using AngleSharp.Html.Parser.Tokens;
using AngleSharp.Text;
using Grains.Crawling.Pages;

namespace Unit.Crawling;

/// <summary>Tokens as tests/Data/html-tokens.txt writes them, once by our scanner and once by AngleSharp's tokenizer.</summary>
internal static class HtmlTokens
{
    public static string Scan(string html)
    {
        var writer = new Writer();
        Span<HtmlScanner.Attribute> attributes = stackalloc HtmlScanner.Attribute[HtmlScanner.MaxAttributes];
        var scanner = new HtmlScanner(html, attributes);
        while (scanner.Read() is var kind and not HtmlTokenKind.End)
        {
            if (kind == HtmlTokenKind.Text)
            {
                writer.Text(
                    scanner.TextHasReferences
                        ? CharacterReferences.InText(scanner.Text)
                        : scanner.Text.ToString().Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n')
                );
                continue;
            }

            var pairs = new List<(string, string)>();
            for (var i = 0; i < scanner.AttributeCount; i++)
            {
                pairs.Add((scanner.AttributeName(i).ToString(), CharacterReferences.InAttribute(scanner.AttributeValue(i))));
            }

            writer.Tag(kind == HtmlTokenKind.StartTag, scanner.Name.ToString(), pairs, scanner.SelfClosing);
        }

        return writer.ToString();
    }

    /// <summary>
    /// With the states that a tree would set, as far as they follow from the tag names; it knows no foreign content here.
    /// </summary>
    public static string ByAngleSharp(string html) => ByAngleSharp(html, out _);

    /// <param name="html">What is cut.</param>
    /// <param name="repeated">How many attributes were dropped because their tag had them already.</param>
    public static string ByAngleSharp(string html, out int repeated)
    {
        var writer = new Writer();
        var dropped = 0;
        using var source = new TextSource(html);
        using var tokenizer = new HtmlTokenizer(source, HtmlEntityProvider.Resolver);
        tokenizer.Error += (_, error) => dropped += error.Code == (int)HtmlParseError.AttributeDuplicateOmitted ? 1 : 0;
        while (tokenizer.Get() is var token && token.Type != HtmlTokenType.EndOfFile)
        {
            switch (token.Type)
            {
                case HtmlTokenType.Character:
                    writer.Text(token.Data);
                    break;
                case HtmlTokenType.StartTag or HtmlTokenType.EndTag:
                    var tag = (HtmlTagToken)token;
                    var pairs = tag
                        .Attributes.Select(attribute => (attribute.Name, attribute.Value))
                        .DistinctBy(pair => pair.Name)
                        .ToList();
                    writer.Tag(token.Type == HtmlTokenType.StartTag, tag.Name, pairs, tag.IsSelfClosing);
                    if (token.Type == HtmlTokenType.StartTag)
                    {
                        tokenizer.State = StateAfter(tag.Name);
                    }

                    break;
            }
        }

        repeated = dropped;
        return writer.ToString();
    }

    private static HtmlParseMode StateAfter(string name) =>
        name switch
        {
            "title" or "textarea" => HtmlParseMode.RCData,
            "style" or "xmp" or "iframe" or "noembed" or "noframes" => HtmlParseMode.Rawtext,
            "script" => HtmlParseMode.Script,
            "plaintext" => HtmlParseMode.Plaintext,
            _ => HtmlParseMode.PCData,
        };

    private sealed class Writer
    {
        private readonly StringBuilder _written = new();
        private readonly StringBuilder _text = new();

        public void Text(string text) => _text.Append(text);

        public void Tag(bool start, string name, List<(string Name, string Value)> attributes, bool selfClosing)
        {
            EndText();
            Space();
            _written.Append(start ? "<" : "</").Append(Lower(name));
            if (start)
            {
                foreach (var (attribute, value) in attributes)
                {
                    _written.Append(' ').Append(Lower(attribute)).Append("=[").Append(Escape(value)).Append(']');
                }
            }

            _written.Append(start && selfClosing ? "/>" : ">");
        }

        public override string ToString()
        {
            EndText();
            return _written.ToString();
        }

        private void EndText()
        {
            if (_text.Length > 0)
            {
                Space();
                _written.Append('"').Append(Escape(_text.ToString()).Replace("\"", "\\\"", StringComparison.Ordinal)).Append('"');
                _text.Clear();
            }
        }

        private void Space()
        {
            if (_written.Length > 0)
            {
                _written.Append(' ');
            }
        }

        // ASCII alone, as the standard has it.
        private static string Lower(string name) => string.Concat(name.Select(c => char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c));

        private static string Escape(string text) =>
            text.Replace("\n", "\\n", StringComparison.Ordinal)
                .Replace("\t", "\\t", StringComparison.Ordinal)
                .Replace("\f", "\\f", StringComparison.Ordinal)
                .Replace("\0", "\\0", StringComparison.Ordinal)
                .Replace("\uFFFD", "\\ufffd", StringComparison.Ordinal);
    }
}
