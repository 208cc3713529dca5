using System.Runtime.InteropServices;

namespace Doubles.Processes;

/// <summary>Signals to child processes, as a shell or an init system sends them. Not on Windows.</summary>
public static class Signals
{
    /// <summary>SIGINT, as from Ctrl-C.</summary>
    public const int Interrupt = 2;

    /// <summary>SIGTERM.</summary>
    public const int Terminate = 15;

    /// <summary>SIGSTOP: the process stands still until <see cref="Continue"/>, and cannot help it.</summary>
    public static readonly int Halt = OperatingSystem.IsMacOS() ? 17 : 19;

    /// <summary>SIGCONT.</summary>
    public static readonly int Continue = OperatingSystem.IsMacOS() ? 19 : 18;

    public static void Send(int process, int signal)
    {
        if (kill(process, signal) != 0)
        {
            throw new InvalidOperationException(
                $"Signal {signal} could not be sent to process {process}: {Marshal.GetLastPInvokeErrorMessage()}."
            );
        }
    }

    /// <summary>
    /// <see cref="Halt"/> while the process is inside no commit: one that stands still inside one holds the lock of its table's file, and
    /// nobody on the machine writes to that table until it goes on or is killed.
    /// </summary>
    /// <remarks>Where there is no <c>/proc</c> it is halted wherever it is.</remarks>
    public static async Task HaltBetweenCommits(int process)
    {
        Send(process, Halt);
        while (File.Exists("/proc/locks"))
        {
            await Wait.Until(() => Threads(process).All(state => state == 'T'), $"process {process} to stand still");
            if (!HoldsWriteLock(process))
            {
                return;
            }

            Send(process, Continue);
            await Wait.Until(() => !HoldsWriteLock(process), $"process {process} to end a commit");
            Send(process, Halt);
        }
    }

    private static IEnumerable<char> Threads(int process) => Directory.EnumerateDirectories($"/proc/{process}/task").Select(StateOf);

    /// <summary>The letter that follows a thread's name, which is in parentheses and may have any character.</summary>
    private static char StateOf(string thread)
    {
        try
        {
            var stat = File.ReadAllText(Path.Combine(thread, "stat"));
            return stat[stat.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return 'X'; // It has ended since.
        }
    }

    /// <summary>A byte of a file is locked for writing, as SQLite does for a commit or a checkpoint.</summary>
    private static bool HoldsWriteLock(int process) =>
        File.ReadLines("/proc/locks")
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Any(line => line is [_, "POSIX", _, "WRITE", var owner, ..] && owner == $"{process}");

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int kill(int process, int signal);
}
