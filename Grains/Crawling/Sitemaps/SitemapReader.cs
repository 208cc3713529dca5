using System.Collections.Immutable;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Xml;
using Grains.Crawling.Urls;

namespace Grains.Crawling.Sitemaps;

/// <summary>A URL that a sitemap names.</summary>
/// <param name="LastModified">When its page changed last; null when that is not said.</param>
/// <param name="Priority">0 to 1; 0.5 when it is not said.</param>
internal readonly record struct SitemapEntry(CanonicalUrl Url, DateTimeOffset? LastModified, double Priority);

/// <summary>What a sitemap says.</summary>
/// <param name="Entries">Pages, each once: higher priorities first, later changes first among those, then as written.</param>
/// <param name="Sitemaps">Other sitemaps, of an index, each once, as written.</param>
/// <param name="LeftOut">Entries beyond <see cref="SitemapReader.MaxEntries"/>.</param>
/// <param name="TooLong">Entries whose URL is longer than <see cref="CanonicalUrl.MaxLength"/>.</param>
/// <param name="Error">What is wrong with it, a sentence; what stands before counts. Null when nothing is.</param>
internal sealed record Sitemap(
    ImmutableArray<SitemapEntry> Entries,
    ImmutableArray<CanonicalUrl> Sitemaps,
    int LeftOut,
    int TooLong,
    string? Error
);

/// <summary>
/// Reads sitemaps (sitemaps.org, protocol 0.9): <c>urlset</c> and <c>sitemapindex</c>, RSS 2.0, Atom 1.0 and text with one URL a line, each
/// also as a gzip file. Elements are known by their local names, so a wrong namespace does not matter. Never fails.
/// </summary>
internal static class SitemapReader
{
    /// <summary>Entries of one sitemap, as the protocol has it.</summary>
    public const int MaxEntries = 50_000;

    /// <summary>Bytes of one sitemap after decompression, as the protocol has it.</summary>
    public const int MaxBytes = 50 * 1024 * 1024;

    private const double DefaultPriority = 0.5;

    /// <param name="body">As it was received, without its Content-Encoding.</param>
    /// <param name="url">Where it was found: relative URLs, which the protocol does not have, start from it.</param>
    public static Sitemap Read(ReadOnlyMemory<byte> body, CanonicalUrl url)
    {
        var found = new Found(url);
        if (body.Span.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
        {
            body = Unpack(body, found);
        }

        if (body.Length > MaxBytes)
        {
            found.Error = Say($"It has more than {MaxBytes / 1024 / 1024} MiB; what is behind them was not read.");
            body = body[..MaxBytes];
        }

        if (LooksLikeXml(body.Span))
        {
            ReadXml(body, found);
        }
        else
        {
            ReadText(body.Span, found);
        }

        return found.ToSitemap();
    }

    private static ReadOnlyMemory<byte> Unpack(ReadOnlyMemory<byte> packed, Found found)
    {
        using var from = new MemoryStream(packed.ToArray(), writable: false);
        using var gzip = new GZipStream(from, CompressionMode.Decompress);
        using var unpacked = new MemoryStream();
        var buffer = new byte[64 * 1024];
        try
        {
            int read;
            while (unpacked.Length <= MaxBytes && (read = gzip.Read(buffer)) > 0)
            {
                unpacked.Write(buffer, 0, read);
            }
        }
        catch (InvalidDataException broken)
        {
            found.Error = $"Its gzip is not whole: {broken.Message}";
        }

        return unpacked.GetBuffer().AsMemory(0, (int)unpacked.Length);
    }

    /// <summary>The first character that is no white space and no byte order mark is "&lt;", in UTF-8 or UTF-16.</summary>
    private static bool LooksLikeXml(ReadOnlySpan<byte> body)
    {
        foreach (var octet in body)
        {
            if (octet is not (0xEF or 0xBB or 0xBF or 0xFE or 0xFF or 0 or (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
            {
                return octet == '<';
            }
        }

        return false;
    }

    private static void ReadText(ReadOnlySpan<byte> body, Found found)
    {
        foreach (var line in Encoding.UTF8.GetString(body).AsSpan().TrimStart('\uFEFF').EnumerateLines())
        {
            // URLs are absolute there, and other text is none.
            if (line.Contains("://", StringComparison.Ordinal))
            {
                found.AddPage(line.Trim().ToString(), lastModified: null, priority: null);
            }
        }
    }

    private static void ReadXml(ReadOnlyMemory<byte> body, Found found)
    {
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Ignore,
            XmlResolver = null,
            CheckCharacters = false,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
        };
        using var bytes = new MemoryStream(body.ToArray(), writable: false);
        try
        {
            using var xml = XmlReader.Create(bytes, settings);
            Element? entry = null;
            while (xml.Read())
            {
                if (xml.NodeType == XmlNodeType.EndElement && entry is not null && xml.Depth == entry.Depth)
                {
                    found.Add(entry);
                    entry = null;
                }
                else if (xml.NodeType == XmlNodeType.Element)
                {
                    Start(xml, ref entry);
                }
                else if (xml.NodeType is XmlNodeType.Text or XmlNodeType.CDATA && entry is not null)
                {
                    entry.AddText(xml.Value, xml.Depth);
                }
            }
        }
        catch (XmlException broken)
        {
            found.Error ??= Say($"It is no whole XML: line {broken.LineNumber}: {broken.Message}");
        }
    }

    /// <summary>An entry begins (<c>url</c>, <c>sitemap</c>, <c>item</c>, <c>entry</c>), or a field of it.</summary>
    private static void Start(XmlReader xml, ref Element? entry)
    {
        var name = xml.LocalName.ToLowerInvariant();
        if (entry is null)
        {
            if (name is "url" or "sitemap" or "item" or "entry" && !xml.IsEmptyElement)
            {
                entry = new(name, xml.Depth);
            }
        }
        else if (xml.Depth == entry.Depth + 1)
        {
            entry.Begin(name);
            if (entry.Name == "entry" && name == "link" && xml.GetAttribute("rel") is null or "alternate")
            {
                entry.AddText(xml.GetAttribute("href") ?? "", xml.Depth + 1);
            }
        }
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>An entry that is being read: the texts of its fields.</summary>
    private sealed class Element(string name, int depth)
    {
        private readonly Dictionary<string, string> _fields = new(StringComparer.Ordinal);
        private string _field = "";

        public string Name => name;

        public int Depth => depth;

        public void Begin(string field) => _field = field;

        /// <summary>Only what stands directly in a field counts; of a field that comes twice, the first that is not empty.</summary>
        public void AddText(string text, int at)
        {
            if (at == depth + 2 && !string.IsNullOrWhiteSpace(text))
            {
                _fields.TryAdd(_field, text.Trim());
            }
        }

        public string? this[string field] => _fields.GetValueOrDefault(field);
    }

    private sealed class Found(CanonicalUrl start)
    {
        private readonly List<SitemapEntry> _entries = [];
        private readonly List<CanonicalUrl> _sitemaps = [];
        private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
        private int _leftOut;
        private int _tooLong;

        public string? Error { get; set; }

        public void Add(Element entry)
        {
            switch (entry.Name)
            {
                case "url":
                    AddPage(entry["loc"], entry["lastmod"], entry["priority"]);
                    break;
                case "sitemap":
                    AddSitemap(entry["loc"]);
                    break;
                case "item":
                    AddPage(entry["link"], entry["pubdate"], priority: null);
                    break;
                default:
                    AddPage(entry["link"], entry["updated"] ?? entry["published"], priority: null);
                    break;
            }
        }

        public void AddPage(string? text, string? lastModified, string? priority)
        {
            if (Parse(text) is not { } url)
            {
                return;
            }

            if (_entries.Count == MaxEntries)
            {
                _leftOut++;
                return;
            }

            _entries.Add(new(url, Date(lastModified), Priority(priority)));
        }

        public Sitemap ToSitemap() =>
            new(
                [.. _entries.OrderByDescending(entry => entry.Priority).ThenByDescending(entry => entry.LastModified)],
                [.. _sitemaps],
                _leftOut,
                _tooLong,
                Error
            );

        private void AddSitemap(string? text)
        {
            if (Parse(text) is not { } url)
            {
                return;
            }

            if (_sitemaps.Count == MaxEntries)
            {
                _leftOut++;
                return;
            }

            _sitemaps.Add(url);
        }

        /// <summary>Null when it is no URL, or was there before.</summary>
        private CanonicalUrl? Parse(string? text)
        {
            if (text is null)
            {
                return null;
            }

            var fault = UrlParser.Parse(text, start, out var url);
            _tooLong += fault == UrlFault.TooLong ? 1 : 0;
            return url is not null && _seen.Add(url.Text) ? url : null;
        }

        private static double Priority(string? text) =>
            double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var priority)
                ? Math.Clamp(priority, 0, 1)
                : DefaultPriority;

        /// <summary>W3C Datetime, or RFC 822 of RSS.</summary>
        private static DateTimeOffset? Date(string? text) =>
            DateTimeOffset.TryParse(
                text,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces,
                out var date
            )
                ? date
                : null;
    }
}
