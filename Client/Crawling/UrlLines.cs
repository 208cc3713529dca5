using System.Collections.Immutable;
using System.CommandLine;
using Grains.Interfaces.Crawling;

namespace Client.Crawling;

/// <summary>URLs that are typed, or read line by line from a file or the standard input.</summary>
internal static class UrlLines
{
    /// <summary>Of the URLs of one call together, unless a single one has more.</summary>
    private const int MaxCharacters = 48 * 1024;

    public static Option<string?> Option() =>
        new("--from")
        {
            Description = "A file with one URL a line; - is the standard input. Empty lines and lines that begin with # are passed over.",
            HelpName = "FILE|-",
        };

    /// <summary>The typed ones first. The file is read as far as it is asked for.</summary>
    /// <exception cref="ConsoleException">The file cannot be read.</exception>
    public static IEnumerable<string> All(IEnumerable<string> typed, string? file) =>
        file is null ? typed : typed.Concat(Lines(file).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#'));

    /// <summary>As many as go into one call: <see cref="CrawlSpec.MaxSeeds"/> at most.</summary>
    public static IEnumerable<ImmutableArray<string>> Batches(IEnumerable<string> urls)
    {
        var batch = ImmutableArray.CreateBuilder<string>();
        var characters = 0;
        foreach (var url in urls)
        {
            if (batch.Count > 0 && (batch.Count == CrawlSpec.MaxSeeds || characters + url.Length > MaxCharacters))
            {
                yield return batch.DrainToImmutable();
                characters = 0;
            }

            batch.Add(url);
            characters += url.Length;
        }

        if (batch.Count > 0)
        {
            yield return batch.DrainToImmutable();
        }
    }

    /// <summary>The batch that was come to, and those behind it.</summary>
    public static IEnumerable<ImmutableArray<string>> Rest(IEnumerator<ImmutableArray<string>> batches)
    {
        do
        {
            yield return batches.Current;
        } while (batches.MoveNext());
    }

    private static IEnumerable<string> Lines(string file)
    {
        using var reader = file == "-" ? Console.In : Open(file);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }

    private static StreamReader Open(string file)
    {
        try
        {
            return new(file);
        }
        catch (Exception reason) when (reason is IOException or UnauthorizedAccessException)
        {
            throw new ConsoleException(Checks.Unreadable(file, reason), ExitCode.WrongUsage, reason);
        }
    }
}
