using System.CommandLine;

namespace Client.Crawling;

/// <summary>The crawl that a verb is about.</summary>
internal static class CrawlArgument
{
    public static Argument<string> Create() => new("ID") { Description = "The crawl's id or name, or how its id begins." };
}
