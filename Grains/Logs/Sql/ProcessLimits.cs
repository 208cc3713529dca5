using System.Globalization;
using System.Runtime.InteropServices;

namespace Grains.Logs.Sql;

/// <summary>
/// What a process that runs statements asks of the operating system for itself. Linux has all of it; elsewhere its parent watches it from
/// outside, and that is the whole limit.
/// </summary>
internal static partial class ProcessLimits
{
    private const int ResourceData = 2;
    private const int ResourceCore = 4;

    /// <summary>The first to go when the machine has no memory left.</summary>
    private const int HighestOomScore = 1000;

    /// <summary>
    /// No dump of its memory is written when it crashes: it would hold what the statement read. And it is what the system ends first when
    /// memory runs out.
    /// </summary>
    public static void BeExpendable()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        Lower(ResourceCore, 0);
        try
        {
            File.WriteAllText("/proc/self/oom_score_adj", HighestOomScore.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Where /proc cannot be written, the limits of memory hold all the same.
            Console.Error.WriteLine($"oom_score_adj stays as it is: {failure.Message}");
        }
    }

    /// <summary>
    /// Bounds the memory that is this process's own: heaps and private mappings, on Linux (RLIMIT_DATA). Not its address space (RLIMIT_AS),
    /// of which the runtime reserves much more than it uses.
    /// It can only be lowered.
    /// </summary>
    public static void LowerData(long bytes)
    {
        if (OperatingSystem.IsLinux())
        {
            Lower(ResourceData, (ulong)bytes);
        }
    }

    /// <summary>Bytes that count against <see cref="LowerData"/>; elsewhere than on Linux, those that are resident.</summary>
    public static long Data()
    {
        if (!OperatingSystem.IsLinux())
        {
            return Environment.WorkingSet;
        }

        // proc(5): size resident shared text lib data dt, in pages.
        var pages = File.ReadAllText("/proc/self/statm").Split(' ')[5];
        return long.Parse(pages, CultureInfo.InvariantCulture) * Environment.SystemPageSize;
    }

    /// <summary>
    /// Nothing that this process has open goes on in one that it starts (Linux 5.11: close_range with CLOSE_RANGE_CLOEXEC), whatever a
    /// library forgot to say about it.
    /// </summary>
    public static void InheritNothing()
    {
        const int CloseRange = 436;
        const uint CloseOnExec = 4;
        if (OperatingSystem.IsLinux())
        {
            // Older kernels refuse it; there the runtime and the libraries open what they open with O_CLOEXEC.
            _ = syscall(CloseRange, 3, uint.MaxValue, CloseOnExec);
        }
    }

    private static void Lower(int resource, ulong limit)
    {
        if (getrlimit(resource, out var now) != 0)
        {
            throw Failed("read");
        }

        var lower = new Limit { Soft = Math.Min(now.Soft, limit), Hard = Math.Min(now.Hard, limit) };
        if (setrlimit(resource, lower) != 0)
        {
            throw Failed("lower");
        }
    }

    private static IOException Failed(string what) =>
        new($"The system could not {what} a limit of this process: {Marshal.GetLastPInvokeErrorMessage()}.");

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getrlimit(int resource, out Limit limit);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setrlimit(int resource, in Limit limit);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint first, nuint last, nuint flags);

    /// <summary>Two 64-bit numbers on every 64-bit Linux.</summary>
    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
