using System.Buffers;
using System.Text;

namespace Grains.Crawling.Pages;

internal enum HtmlTokenKind
{
    /// <summary>Nothing more comes.</summary>
    End,

    StartTag,

    EndTag,

    /// <summary>Characters between tags, as they are written: character references are not resolved.</summary>
    Text,
}

/// <summary>
/// Cuts HTML into tags and text by the tokenizer of the WHATWG HTML standard (§13.2.5), as far as links and titles need it: comments,
/// doctypes and
/// processing instructions are passed over, duplicate attributes dropped, and nothing is copied or allocated until a value is asked for.
/// </summary>
/// <remarks>
/// <para>A scanner has no tree, and so takes from the tag names alone what the tree would tell it: after <c>title</c> and <c>textarea</c>
/// text until the end tag,
/// after <c>style xmp iframe noembed noframes</c> raw text, after <c>script</c> script data with its escapes, after <c>plaintext</c> text
/// for good.
/// What is in <c>noscript</c> is read as tags: a crawler runs no script. Inside <c>svg</c> and <c>math</c> these names mean nothing, and
/// CDATA sections are text.</para>
/// <para>Of a tag the first <see cref="AllAttributes"/> attributes are seen, and behind them those of a name that somebody asks for: so no
/// link hides behind others, and the work grows with the input's length and not faster.</para>
/// <para>XML (XHTML that is served as such) is cut by the same states, but no name means text without tags, an empty-element tag is empty,
/// CDATA sections are text, and a processing instruction ends with <c>?></c>.</para>
/// </remarks>
internal ref struct HtmlScanner
{
    public const int AllAttributes = 64;

    /// <summary>With those behind the first <see cref="AllAttributes"/>.</summary>
    public const int MaxAttributes = AllAttributes + 11;

    private static readonly SearchValues<char> ValueEnds = SearchValues.Create("\t\n\f\r >");

    private readonly ReadOnlySpan<char> _html;
    private readonly Span<Attribute> _attributes;
    private readonly bool _xml;
    private int _at;
    private int _attributeCount;
    private ReadOnlySpan<char> _name;
    private ReadOnlySpan<char> _textUntil;
    private bool _script;
    private bool _plaintext;

    // Whether we are in foreign content, one bit per element that changes it; the lowest is the innermost. Deeper than 64, the outermost is
    // forgotten.
    private ulong _foreign;

    /// <param name="html">Is read in place, and must not change.</param>
    /// <param name="attributes">Room for <see cref="MaxAttributes"/> attributes.</param>
    /// <param name="xml">It is XML.</param>
    public HtmlScanner(ReadOnlySpan<char> html, Span<Attribute> attributes, bool xml = false)
    {
        _html = html;
        _attributes = attributes;
        _xml = xml;
    }

    /// <summary>Where a name and a value stand in the text.</summary>
    public struct Attribute
    {
        internal int Name;
        internal int NameLength;
        internal int Value;
        internal int ValueLength;
    }

    /// <summary>The tag's name as it is written: compare without case.</summary>
    public readonly ReadOnlySpan<char> Name => _name;

    /// <summary>Of a text token: what is written.</summary>
    public ReadOnlySpan<char> Text { get; private set; }

    /// <summary>Whether a text token may hold character references (they mean nothing in scripts, styles and CDATA).</summary>
    public bool TextHasReferences { get; private set; }

    public bool SelfClosing { get; private set; }

    public readonly int AttributeCount => _attributeCount;

    /// <summary>In svg or math, where names do not mean what they mean in HTML.</summary>
    public readonly bool InForeignContent => (_foreign & 1) != 0;

    /// <summary>In svg or math, or in what stands there as HTML again.</summary>
    public readonly bool WithinForeignContent => _foreign != 0;

    public readonly bool Is(string lowerCaseName) => IsName(_name, lowerCaseName);

    public readonly ReadOnlySpan<char> AttributeName(int index) => _html.Slice(_attributes[index].Name, _attributes[index].NameLength);

    /// <summary>As it is written; <see cref="CharacterReferences.InAttribute"/> resolves it.</summary>
    public readonly ReadOnlySpan<char> AttributeValue(int index) => _html.Slice(_attributes[index].Value, _attributes[index].ValueLength);

    /// <summary>The value of an attribute as it is written.</summary>
    public readonly bool TryGet(string lowerCaseName, out ReadOnlySpan<char> value)
    {
        for (var i = 0; i < _attributeCount; i++)
        {
            if (IsName(AttributeName(i), lowerCaseName))
            {
                value = AttributeValue(i);
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>Goes to the next token.</summary>
    public HtmlTokenKind Read()
    {
        if (_plaintext)
        {
            return Rest(references: false);
        }

        if (!_textUntil.IsEmpty)
        {
            var kind = ReadTextOfElement();
            if (kind != HtmlTokenKind.End)
            {
                return kind;
            }
        }

        var textStart = _at;
        while (_at < _html.Length)
        {
            var open = _html[_at..].IndexOf('<');
            if (open < 0)
            {
                _at = textStart;
                return Rest(references: true);
            }

            open += _at;
            if (open + 1 == _html.Length)
            {
                _at = textStart;
                return Rest(references: true);
            }

            var next = _html[open + 1];
            var opensTag = char.IsAsciiLetter(next);
            if (!opensTag && next is not ('/' or '!' or '?') || next == '/' && open + 2 == _html.Length)
            {
                // A lone "<" is text.
                _at = open + 1;
                continue;
            }

            if (open > textStart)
            {
                // Comes again for the tag itself.
                _at = open;
                return TextToken(textStart, open, references: true);
            }

            _at = open + 1;
            if (opensTag)
            {
                return ReadTag(HtmlTokenKind.StartTag);
            }

            _at++;
            if (next == '/' && char.IsAsciiLetter(_html[_at]))
            {
                return ReadTag(HtmlTokenKind.EndTag);
            }

            if (next == '!' && (InForeignContent || _xml) && _html[_at..].StartsWith("[CDATA["))
            {
                return ReadCharacterData();
            }

            PassMarkup(next);
            textStart = _at;
        }

        return textStart < _html.Length ? TextToken(textStart, _html.Length, references: true) : HtmlTokenKind.End;
    }

    private HtmlTokenKind Rest(bool references)
    {
        if (_at == _html.Length)
        {
            return HtmlTokenKind.End;
        }

        var start = _at;
        _at = _html.Length;
        return TextToken(start, _at, references);
    }

    private HtmlTokenKind TextToken(int start, int end, bool references)
    {
        Text = _html[start..end];
        TextHasReferences = references;
        return HtmlTokenKind.Text;
    }

    /// <summary>
    /// Comments, doctypes, processing instructions and what is taken for comments: from behind <c>&lt;!</c>, <c>&lt;?</c> or <c>&lt;/</c>
    /// to behind the end.
    /// </summary>
    private void PassMarkup(char opener)
    {
        var rest = _html[_at..];
        if (opener != '!' || !rest.StartsWith("--"))
        {
            // A doctype too ends at its first ">", even within quotes.
            var instruction = _xml && opener == '?';
            PassTo(instruction ? rest.IndexOf("?>") : rest.IndexOf('>'), instruction ? 2 : 1);
            return;
        }

        rest = rest[2..];
        _at += 2;
        if (rest.StartsWith(">") || rest.StartsWith("->"))
        {
            PassTo(rest.IndexOf('>'), 1);
            return;
        }

        for (var at = 0; ; )
        {
            var dashes = rest[at..].IndexOf("--");
            if (dashes < 0)
            {
                _at = _html.Length;
                return;
            }

            at += dashes;
            if (rest[(at + 2)..].StartsWith(">"))
            {
                PassTo(at, 3);
                return;
            }

            if (rest[(at + 2)..].StartsWith("!>"))
            {
                PassTo(at, 4);
                return;
            }

            at++;
        }
    }

    private void PassTo(int found, int length) => _at = found < 0 ? _html.Length : _at + found + length;

    private HtmlTokenKind ReadCharacterData()
    {
        _at += "[CDATA[".Length;
        var start = _at;
        var length = _html[start..].IndexOf("]]>");
        PassTo(length, 3);
        return length == 0 ? Read() : TextToken(start, length < 0 ? _html.Length : start + length, references: false);
    }

    private HtmlTokenKind ReadTag(HtmlTokenKind kind)
    {
        var html = _html;
        var at = _at;
        while (at < html.Length && !EndsName(html[at]))
        {
            at++;
        }

        _name = html[_at..at];
        _attributeCount = 0;
        SelfClosing = false;
        while (at < html.Length)
        {
            var c = html[at];
            if (c == '>')
            {
                _at = at + 1;
                OnTag(kind);
                return kind;
            }

            if (c == '/')
            {
                SelfClosing = at + 1 < html.Length && html[at + 1] == '>';
                at++;
            }
            else if (IsSpace(c))
            {
                at++;
            }
            else
            {
                at = ReadAttribute(at);
            }
        }

        // The end of the file within a tag: the tag does not count.
        _at = html.Length;
        return HtmlTokenKind.End;
    }

    private int ReadAttribute(int at)
    {
        var html = _html;
        var attribute = new Attribute { Name = at };

        // A name may begin with "=".
        at++;
        while (at < html.Length && html[at] != '=' && !EndsName(html[at]))
        {
            at++;
        }

        attribute.NameLength = at - attribute.Name;
        var equals = PassSpace(at);
        if (equals < html.Length && html[equals] == '=')
        {
            at = PassSpace(equals + 1);
            if (at == html.Length)
            {
                return at;
            }

            var quote = html[at];
            if (quote is '"' or '\'')
            {
                var length = html[(at + 1)..].IndexOf(quote);
                if (length < 0)
                {
                    return html.Length;
                }

                attribute.Value = at + 1;
                attribute.ValueLength = length;
                at += length + 2;
            }
            else
            {
                var length = html[at..].IndexOfAny(ValueEnds);
                if (length < 0)
                {
                    return html.Length;
                }

                attribute.Value = at;
                attribute.ValueLength = length;
                at += length;
            }
        }

        Keep(attribute);
        return at;
    }

    private void Keep(in Attribute attribute)
    {
        var name = _html.Slice(attribute.Name, attribute.NameLength);
        if (_attributeCount >= AllAttributes && !IsAskedFor(name))
        {
            return;
        }

        for (var i = 0; i < _attributeCount; i++)
        {
            if (IsSameName(AttributeName(i), name))
            {
                return;
            }
        }

        _attributes[_attributeCount++] = attribute;
    }

    /// <summary>
    /// Names of attributes are compared with the letters of ASCII lowered and all others as they are (§13.2.5.33); <see cref="Ascii"/>
    /// takes
    /// no two texts with other characters for equal.
    /// </summary>
    private static bool IsSameName(ReadOnlySpan<char> one, ReadOnlySpan<char> other)
    {
        if (one.Length != other.Length)
        {
            return false;
        }

        for (var i = 0; i < one.Length; i++)
        {
            if (one[i] != other[i] && !(char.IsAsciiLetter(one[i]) && (one[i] | 0x20) == (other[i] | 0x20)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Names that <see cref="TryGet"/> is called with: each is kept once, so there is room for all.</summary>
    private static bool IsAskedFor(ReadOnlySpan<char> name)
    {
        foreach (var asked in AskedFor)
        {
            if (IsName(name, asked))
            {
                return true;
            }
        }

        return false;
    }

    private static readonly string[] AskedFor =
    [
        "href",
        "rel",
        "src",
        "content",
        "name",
        "http-equiv",
        "charset",
        "xmlns",
        "color",
        "face",
        "size",
    ];

    private readonly int PassSpace(int at)
    {
        while (at < _html.Length && IsSpace(_html[at]))
        {
            at++;
        }

        return at;
    }

    private static bool IsSpace(char c) => c is ' ' or '\n' or '\t' or '\r' or '\f';

    private static bool EndsName(char c) => c <= '>' && (c is '>' or '/' || IsSpace(c));

    private static bool IsName(ReadOnlySpan<char> written, string lowerCaseName) =>
        written.Length == lowerCaseName.Length && Ascii.EqualsIgnoreCase(written, lowerCaseName);

    // What the tree would tell the tokenizer.
    private void OnTag(HtmlTokenKind kind)
    {
        var first = _name[0] | 0x20;
        if (_xml)
        {
            return;
        }

        if (InForeignContent)
        {
            OnTagInForeignContent(kind);
            return;
        }

        if (kind == HtmlTokenKind.EndTag)
        {
            if (_foreign != 0 && (Is("foreignobject") || Is("desc") || Is("title") || Is("annotation-xml")))
            {
                _foreign >>= 1;
            }

            return;
        }

        switch (first)
        {
            case 's' when Is("script"):
                _textUntil = _name;
                _script = true;
                break;
            case 's' when Is("style"):
            case 't' when Is("title") || Is("textarea"):
            case 'x' when Is("xmp"):
            case 'i' when Is("iframe"):
            case 'n' when Is("noembed") || Is("noframes"):
                _textUntil = _name;
                break;
            case 'p' when Is("plaintext"):
                _plaintext = true;
                break;
            case 's' when Is("svg"):
            case 'm' when Is("math"):
                if (!SelfClosing)
                {
                    _foreign = (_foreign << 1) | 1;
                }

                break;
        }
    }

    private void OnTagInForeignContent(HtmlTokenKind kind)
    {
        if (kind == HtmlTokenKind.EndTag)
        {
            if (Is("svg") || Is("math"))
            {
                _foreign >>= 1;
            }
        }
        else if (Is("svg") || Is("math"))
        {
            _foreign = SelfClosing ? _foreign : (_foreign << 1) | 1;
        }
        else if (!SelfClosing && (Is("foreignobject") || Is("desc") || Is("title") || Is("annotation-xml")))
        {
            _foreign <<= 1;
        }
        else if (BreaksOut())
        {
            // §13.2.6.5: these names end the foreign content they stand in, and are HTML.
            while (InForeignContent)
            {
                _foreign >>= 1;
            }
        }
    }

    private readonly bool BreaksOut()
    {
        foreach (var name in BreakOutNames)
        {
            if (Is(name))
            {
                return true;
            }
        }

        return Is("font") && (TryGet("color", out _) || TryGet("face", out _) || TryGet("size", out _));
    }

    private static readonly string[] BreakOutNames =
    [
        "b",
        "big",
        "blockquote",
        "body",
        "br",
        "center",
        "code",
        "dd",
        "div",
        "dl",
        "dt",
        "em",
        "embed",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "hr",
        "i",
        "img",
        "li",
        "listing",
        "menu",
        "meta",
        "nobr",
        "ol",
        "p",
        "pre",
        "ruby",
        "s",
        "small",
        "span",
        "strong",
        "strike",
        "sub",
        "sup",
        "table",
        "tt",
        "u",
        "ul",
        "var",
    ];

    /// <summary>The text of an element that has only text, if there is any. The next read gives its end tag.</summary>
    private HtmlTokenKind ReadTextOfElement()
    {
        var start = _at;
        var end = _script ? ScriptEnd(start) : TextEnd(start);
        var references = !_script && (IsName(_textUntil, "title") || IsName(_textUntil, "textarea"));
        _textUntil = default;
        _script = false;
        _at = end;
        return end > start ? TextToken(start, end, references) : HtmlTokenKind.End;
    }

    private readonly int TextEnd(int at)
    {
        for (; ; at += 2)
        {
            var found = _html[at..].IndexOf("</");
            if (found < 0)
            {
                return _html.Length;
            }

            at += found;
            if (IsTagAt(at + 2))
            {
                return at;
            }
        }
    }

    /// <summary>
    /// §13.2.5.15 to 31: within <c>&lt;!--</c>, a <c>&lt;script&gt;</c> takes the next <c>&lt;/script&gt;</c> for itself.
    /// </summary>
    private readonly int ScriptEnd(int at)
    {
        var html = _html;
        var (escaped, twice) = (false, false);
        while (true)
        {
            var found = escaped ? html[at..].IndexOfAny('<', '>') : html[at..].IndexOf('<');
            if (found < 0)
            {
                return html.Length;
            }

            at += found;
            if (html[at] == '>')
            {
                if (html[at - 1] == '-' && html[at - 2] == '-')
                {
                    (escaped, twice) = (false, false);
                }

                at++;
                continue;
            }

            var closes = at + 1 < html.Length && html[at + 1] == '/';
            if (closes && IsTagAt(at + 2))
            {
                if (!twice)
                {
                    return at;
                }

                twice = false;
                at += 2;
            }
            else if (escaped && !twice && IsTagAt(at + 1))
            {
                twice = true;
                at++;
            }
            else if (!escaped && html[at..].StartsWith("<!--"))
            {
                escaped = true;
                at += 4;
            }
            else
            {
                at++;
            }
        }
    }

    /// <summary>The name that ends the text stands here, and is whole.</summary>
    private readonly bool IsTagAt(int at)
    {
        var after = at + _textUntil.Length;
        return after < _html.Length && EndsName(_html[after]) && Ascii.EqualsIgnoreCase(_html[at..after], _textUntil);
    }
}
