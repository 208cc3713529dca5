using System.Globalization;

namespace Grains.Crawling.Frontier;

/// <summary>A URL that waits on a host, as one queue row.</summary>
/// <param name="Key">The row's key, and its place: <see cref="Ready"/> in order of arrival, <see cref="Later"/> in order of time.</param>
/// <param name="Attempts">How often it was tried before.</param>
/// <param name="IsSitemap">Its entries are URLs of the crawl.</param>
/// <param name="Hops">Redirects in a row that led to it.</param>
public sealed record QueueEntry(string Key, string Url, int Depth, string? Parent, int Attempts, int Hops = 0, bool IsSitemap = false)
{
    /// <summary>Nobody asked for it: it was given.</summary>
    public bool IsSeed => Parent is null;

    /// <summary>Every <see cref="Ready"/> key starts so.</summary>
    public const string ReadyPrefix = "q.";

    /// <summary>Every <see cref="Later"/> key starts so.</summary>
    public const string LaterPrefix = "r.";

    /// <summary>The key of the <paramref name="sequence"/>th URL of a host.</summary>
    public static string Ready(long sequence) => string.Create(CultureInfo.InvariantCulture, $"{ReadyPrefix}{sequence:x16}");

    /// <summary>The key of a URL that must not be tried before <paramref name="due"/>.</summary>
    public static string Later(DateTimeOffset due, long sequence) =>
        string.Create(CultureInfo.InvariantCulture, $"{LaterPrefix}{due.UtcTicks:x16}.{sequence:x16}");

    /// <summary>When it may be tried; the beginning of time for one that is ready.</summary>
    public DateTimeOffset Due =>
        Key.StartsWith(LaterPrefix, StringComparison.Ordinal)
            ? new(long.Parse(Key.AsSpan(LaterPrefix.Length, 16), NumberStyles.HexNumber, CultureInfo.InvariantCulture), TimeSpan.Zero)
            : DateTimeOffset.MinValue;
}
