using System.ComponentModel;
using System.Diagnostics;

namespace Client.Shell;

/// <summary>The browser of the person at this machine.</summary>
internal static class Browser
{
    /// <summary>False where there is none: no desktop, or nothing that opens addresses.</summary>
    public static bool Open(Uri address)
    {
        if (OperatingSystem.IsLinux() && Unset("DISPLAY") && Unset("WAYLAND_DISPLAY"))
        {
            return false;
        }

        try
        {
            using var browser = Process.Start(new ProcessStartInfo(address.AbsoluteUri) { UseShellExecute = true });
            return true;
        }
        catch (Exception none) when (none is Win32Exception or PlatformNotSupportedException)
        {
            return false;
        }
    }

    private static bool Unset(string variable) => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable));
}
