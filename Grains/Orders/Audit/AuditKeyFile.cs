namespace Grains.Orders.Audit;

/// <summary>The file that holds the audit's private key in PEM, beside the data or wherever the operator keeps it.</summary>
public static class AuditKeyFile
{
    /// <summary>Bytes of a key file.</summary>
    private const int MaxBytes = 16 * 1024;

    /// <summary>
    /// The key in the file; where there is none, a new one is made first, readable by the owner only (mode 0600), and is on the disk when
    /// this returns.
    /// </summary>
    /// <remarks>Several processes may call this at once: they all get the one key. A key that is lost cannot be had again: heads signed
    /// before stay good with its public half, and a new
    /// key signs from then on.</remarks>
    /// <param name="nameIfAbsent">Gives a finished file (first) its name (second) if nothing has that name, durably, and says whether it
    /// did: of several processes that try, one succeeds.
    /// The runtime's own move without replacing is two steps on Linux, so that a second process can replace the key that a first one signs
    /// with.</param>
    /// <exception cref="FormatException">The file holds something else.</exception>
    public static AuditKey Open(string path, Func<string, string, bool> nameIfAbsent)
    {
        if (!File.Exists(path))
        {
            Make(path, nameIfAbsent);
        }

        return Read(path);
    }

    /// <summary>The key in the file that the operator gave.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="FormatException">The file holds something else.</exception>
    public static AuditKey Read(string path)
    {
        var length = new FileInfo(path).Length;
        if (length > MaxBytes)
        {
            throw new FormatException($"The audit's key is in \"{path}\", which has {length} bytes; a key in PEM has at most {MaxBytes}.");
        }

        try
        {
            return AuditKey.FromPem(File.ReadAllText(path));
        }
        catch (FormatException e)
        {
            throw new FormatException($"\"{path}\": {e.Message}", e);
        }
    }

    private static void Make(string path, Func<string, string, bool> nameIfAbsent)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
        {
            Directory.CreateDirectory(folder);
        }

        // Written aside and then named: nobody reads half a key, and of several who make one the first stays.
        var aside = $"{path}.{Guid.NewGuid():n}";
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.None,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            using (var key = AuditKey.Create())
            using (var file = new FileStream(aside, options))
            {
                file.Write(System.Text.Encoding.ASCII.GetBytes(key.ToPem()));
                file.Flush(flushToDisk: true);
            }

            _ = nameIfAbsent(aside, path); // If another was faster, its key is the key.
        }
        finally
        {
            File.Delete(aside);
        }
    }
}
