namespace Grains.Interfaces.Crawling;

/// <summary>
/// A crawl's identity: ten characters of lower-case letters and digits, short enough to type. Made by the crawl list, never used again.
/// </summary>
[GenerateSerializer, Immutable, Alias("crawling.CrawlId")]
public readonly record struct CrawlId([property: Id(0)] string Value)
{
    public const int Length = 10;

    public static bool TryParse(string? text, out CrawlId id)
    {
        id = new(text ?? "");
        return text is { Length: Length } && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c));
    }

    public static CrawlId Parse(string text) =>
        TryParse(text, out var id)
            ? id
            : throw new FormatException($"A crawl's id is {Length} lower-case letters and digits; this is \"{text}\".");

    public override string ToString() => Value;
}
