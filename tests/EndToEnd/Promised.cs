using System.Diagnostics;

namespace EndToEnd;

/// <summary>
/// Promises of time. They are made for machines like those of developers; a machine that is slower altogether, which the console's help shows, has as much longer.
/// </summary>
internal static class Promised
{
    /// <summary>Where the console says its help within this, a promise holds as it stands.</summary>
    private static readonly TimeSpan Help = TimeSpan.FromSeconds(0.5);

    /// <summary>What is promised, on this machine as it is now; never less than <paramref name="promised"/>.</summary>
    public static async Task<TimeSpan> Here(TimeSpan promised)
    {
        var since = Stopwatch.GetTimestamp();
        await using var help = await ConsoleProcess.Run("--help");
        return promised * Math.Max(1, Stopwatch.GetElapsedTime(since) / Help);
    }
}
