using Microsoft.Win32.SafeHandles;

namespace Client.Shell;

/// <summary>
/// The process's standard output. .NET's own stream for it swallows a broken pipe, so that <c>export | head</c> would read
/// a million pages for nobody. This one throws <see cref="IOException"/> then, where it can: on a pipe of a Unix system.
/// </summary>
internal static class StandardOutput
{
    private const int Handle = 1;

    public static Stream Open()
    {
        if (!OperatingSystem.IsWindows() && Console.IsOutputRedirected)
        {
            var pipe = new FileStream(new SafeFileHandle(Handle, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            // A file is left to .NET's stream: this one would write by position, and not move the offset that other processes share.
            if (!pipe.CanSeek)
            {
                return pipe;
            }
        }

        return Console.OpenStandardOutput();
    }
}
