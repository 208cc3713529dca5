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

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int kill(int process, int signal);
}
