using System.Globalization;
using System.Net;
using System.Text;

namespace Client.Demo;

/// <summary>What the bookshop answers at one of its paths.</summary>
/// <param name="Location">Where a redirect leads.</param>
internal sealed record ShopPage(int Status, string Html, string? Location = null);

/// <summary>
/// A web site to be crawled: a bookshop with cross links between shelves, authors and books, the same at every start. Among its pages are
/// one that is
/// gone (404), one that has moved (301), one that is busy at first (503, once), and two that robots.txt asks nobody to fetch.
/// </summary>
internal sealed class Bookshop
{
    public const string Till = "/till";
    public const string Robots = "User-agent: *\nDisallow: /staff/\n";

    private const int Books = 89;

    private static readonly string[] Shelves =
    [
        "atlases",
        "birds",
        "bridges",
        "cookery",
        "gardens",
        "history",
        "islands",
        "letters",
        "maps",
        "night",
        "rivers",
        "weather",
    ];
    private static readonly string[] Authors =
    [
        "Abel",
        "Brandt",
        "Castellan",
        "Dorn",
        "Eriksen",
        "Farkas",
        "Grieve",
        "Holm",
        "Ilves",
        "Jansen",
        "Keller",
        "Lund",
        "Moreau",
        "Novak",
    ];
    private static readonly string[] Things =
    [
        "Atlas",
        "Bridge",
        "Cartographer",
        "Dictionary",
        "Estuary",
        "Ferry",
        "Garden",
        "Harbour",
        "Island",
        "Journey",
        "Keeper",
    ];
    private static readonly string[] Kinds = ["Quiet", "Northern", "Second", "Long", "Unfinished", "Winter", "Borrowed", "Small"];

    private readonly Dictionary<string, ShopPage> _pages = new(StringComparer.Ordinal);

    public Bookshop()
    {
        Add(
            "/",
            "The bookshop",
            "Twelve shelves, fourteen authors, and a till.",
            [.. Shelves.Select(Shelf), "/about", Till, "/old-catalogue", "/staff/rota"]
        );
        foreach (var (shelf, i) in Shelves.Select((shelf, i) => (shelf, i)))
        {
            Add(
                Shelf(shelf),
                $"Shelf: {shelf}",
                "What stands here.",
                ["/", .. Enumerable.Range(0, Books).Where(book => book % Shelves.Length == i).Select(Book)]
            );
        }

        foreach (var (author, i) in Authors.Select((author, i) => (author, i)))
        {
            Add(
                Author(i),
                author,
                "All of their books.",
                ["/", .. Enumerable.Range(0, Books).Where(book => book % Authors.Length == i).Select(Book)]
            );
        }

        foreach (var book in Enumerable.Range(0, Books))
        {
            Add(
                Book(book),
                $"The {Kinds[book % Kinds.Length]} {Things[book % Things.Length]}",
                "Readers of this book also took home:",
                [
                    Shelf(Shelves[book % Shelves.Length]),
                    Author(book % Authors.Length),
                    Book((book * 7 + 3) % Books),
                    Book((book * 13 + 5) % Books),
                ]
            );
        }

        Add("/about", "About the shop", "Open since yesterday.", ["/", "/lost-and-found", "/staff/keys"]);
        Add(Till, "The till", "One at a time, please.", ["/"]);
        _pages["/lost-and-found"] = new((int)HttpStatusCode.NotFound, Html("Nothing here", "It was picked up.", []));
        _pages["/old-catalogue"] = new(
            (int)HttpStatusCode.MovedPermanently,
            Html("Moved", "The catalogue is on the shelves now.", [Shelf(Shelves[0])]),
            Shelf(Shelves[0])
        );
    }

    /// <summary>Every path that a walk of the links finds, those of robots.txt left out.</summary>
    public IReadOnlyCollection<string> Paths => _pages.Keys;

    /// <summary>Linked, and forbidden by robots.txt.</summary>
    public IReadOnlyCollection<string> Forbidden { get; } = ["/staff/rota", "/staff/keys"];

    /// <summary>Null when there is no such page.</summary>
    public ShopPage? Open(string path) => _pages.GetValueOrDefault(path);

    private void Add(string path, string title, string text, IReadOnlyList<string> links) =>
        _pages.Add(path, new((int)HttpStatusCode.OK, Html(title, text, links)));

    private static string Shelf(string name) => $"/shelves/{name}";

    private static string Author(int number) => $"/authors/{Authors[number].ToLowerInvariant()}";

    private static string Book(int number) => string.Create(CultureInfo.InvariantCulture, $"/books/{number + 1}");

    private static string Html(string title, string text, IReadOnlyList<string> links)
    {
        var html = new StringBuilder(
            $"<!doctype html><html lang=\"en\"><head><meta "
                + $"charset=\"utf-8\"><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p><ul>"
        );
        foreach (var link in links)
        {
            html.Append(CultureInfo.InvariantCulture, $"<li><a href=\"{link}\">{link}</a></li>");
        }

        return html.Append("</ul></body></html>").ToString();
    }
}
