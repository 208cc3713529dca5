using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Silo.Storage;

/// <summary>
/// Everything here depends on the operating system, and nothing elsewhere does.
/// </summary>
/// <remarks>
/// Linux and macOS: calls of the C library; on macOS a folder's flush stops at the drive's own memory. Windows: a folder cannot be flushed
/// there, and need not be, for NTFS journals the names in it;
/// and a file is named by moving it without replacing, which is one step on NTFS.
/// </remarks>
internal static partial class OperatingSystemCalls
{
    private const int FileExists = 17;
    private const int NoSuchFile = 2;
    private const int GroupAndOthers = 0b000_111_111;
    private const int InterruptedCall = 4;

    /// <summary>
    /// Makes the names in a folder durable: files made, renamed or removed in it before this call stay so after a power cut.
    /// </summary>
    public static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var descriptor = open(folder, flags: 0, mode: 0);
        if (descriptor < 0)
        {
            throw Failed("open the folder", folder);
        }

        try
        {
            int result;
            do
            {
                result = fsync(descriptor);
            } while (result != 0 && Marshal.GetLastPInvokeError() == InterruptedCall);

            if (result != 0)
            {
                throw Failed("flush the folder", folder);
            }
        }
        finally
        {
            _ = close(descriptor);
        }
    }

    /// <summary>
    /// Gives a finished file its name if nothing has that name: of several processes that try, one succeeds. False when the name is taken.
    /// The file keeps its old name too, except on Windows.
    /// </summary>
    public static bool NameIfAbsent(string finished, string name)
    {
        if (OperatingSystem.IsWindows())
        {
            try
            {
                File.Move(finished, name, overwrite: false);
                return true;
            }
            catch (IOException) when (File.Exists(name))
            {
                return false;
            }
        }

        if (link(finished, name) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() == FileExists ? false : throw Failed("name the file", name);
    }

    /// <summary>Gives a file a second name on the same file system. False when the file is gone; the second name must be free.</summary>
    public static bool Link(string existing, string name)
    {
        if (OperatingSystem.IsWindows())
        {
            return CreateHardLink(name, existing, 0) || (File.Exists(existing) ? throw Failed("link the file", existing) : false);
        }

        return link(existing, name) == 0 || (Marshal.GetLastPInvokeError() == NoSuchFile ? false : throw Failed("link the file", existing));
    }

    /// <summary>
    /// From here on nobody but this user can read what this process creates: folders are 0700, files 0600. Windows has no such setting;
    /// there folders inherit.
    /// </summary>
    public static void CreatePrivately()
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = umask(GroupAndOthers); // It cannot fail; it answers what was set before.
        }
    }

    /// <summary>Takes every right of group and others from a file or folder that is there.</summary>
    /// <returns>Its mode before, when it was open to them; null when there was nothing to do.</returns>
    /// <exception cref="UnauthorizedAccessException">It belongs to another user.</exception>
    public static UnixFileMode? ClosePrivately(string path)
    {
        if (OperatingSystem.IsWindows() || !Path.Exists(path))
        {
            return null;
        }

        var mode = File.GetUnixFileMode(path);
        if (((int)mode & GroupAndOthers) == 0)
        {
            return null;
        }

        File.SetUnixFileMode(path, (UnixFileMode)((int)mode & ~GroupAndOthers));
        return mode;
    }

    private static IOException Failed(string action, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException(
            $"The system could not {action} \"{path}\": {Marshal.GetPInvokeErrorMessage(error)}.",
            new Win32Exception(error)
        );
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport("libc")]
    private static partial int umask(int mask);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string existing, string name);

    [LibraryImport("kernel32", EntryPoint = "CreateHardLinkW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CreateHardLink(string name, string existing, nint securityAttributes);
}
