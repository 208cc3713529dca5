using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Client.Shell;

/// <summary>What Linux tells of a file and .NET does not.</summary>
/// <param name="Id">Device, inode and time of birth: the same for two names or handles of one file, whatever it was renamed to.</param>
/// <param name="Type">The file's type, of <c>st_mode</c>.</param>
internal readonly partial record struct FileStatus(string Id, int Type)
{
    private const int RegularFile = 0x8000;
    private const int Folder = 0x4000;

    private const int CurrentFolder = -100; // AT_FDCWD
    private const int OfTheHandle = 0x1000; // AT_EMPTY_PATH
    private const uint Asked = 0xfff; // STATX_BASIC_STATS and STATX_BTIME

    /// <summary>Of <c>struct statx</c>, which is the same on every processor.</summary>
    private const int StatusBytes = 256;

    public bool IsRegular => Type == RegularFile;

    public bool IsFolder => Type == Folder;

    /// <summary>Null where nothing has this name, and on other systems than Linux. Links are followed.</summary>
    public static FileStatus? Of(string path) => OperatingSystem.IsLinux() ? Read(CurrentFolder, path, flags: 0) : null;

    /// <summary>Null on other systems than Linux.</summary>
    public static FileStatus? Of(SafeFileHandle handle) =>
        OperatingSystem.IsLinux() ? Read((int)handle.DangerousGetHandle(), "", OfTheHandle) : null;

    private static FileStatus? Read(int at, string path, int flags)
    {
        Span<byte> status = stackalloc byte[StatusBytes];
        if (Statx(at, path, flags, Asked, ref MemoryMarshal.GetReference(status)) != 0)
        {
            return null;
        }

        var (mode, inode) = (BinaryPrimitives.ReadUInt16LittleEndian(status[28..]), BinaryPrimitives.ReadUInt64LittleEndian(status[32..]));
        var (born, bornPart) = (
            BinaryPrimitives.ReadInt64LittleEndian(status[80..]),
            BinaryPrimitives.ReadUInt32LittleEndian(status[88..])
        );
        var (major, minor) = (
            BinaryPrimitives.ReadUInt32LittleEndian(status[136..]),
            BinaryPrimitives.ReadUInt32LittleEndian(status[140..])
        );
        return new(string.Create(CultureInfo.InvariantCulture, $"{major:x}:{minor:x}:{inode:x}:{born:x}.{bornPart:x}"), mode & 0xf000);
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte status);
}
