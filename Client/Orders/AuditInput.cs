using Grains.Orders.Audit;

namespace Client.Orders;

/// <summary>Files of the audit that the user names.</summary>
internal static class AuditInput
{
    /// <param name="path"><c>-</c>: standard input.</param>
    /// <exception cref="ConsoleException">It cannot be read, or is larger than any file of the audit.</exception>
    public static string Read(string path)
    {
        try
        {
            using var reader = path == "-" ? Console.In : File.OpenText(path);
            var text = new char[8 * 1024];
            var whole = new System.Text.StringBuilder();
            for (int read; (read = reader.Read(text, 0, text.Length)) > 0; )
            {
                whole.Append(text, 0, read);
                if (whole.Length > AuditFile.MaxLength)
                {
                    throw new ConsoleException(
                        $"\"{Terminal.Clean(path)}\" has more than {AuditFile.MaxLength} characters: it is no file of the audit.",
                        ExitCode.WrongUsage
                    );
                }
            }

            return whole.Length > 0
                ? whole.ToString()
                : throw new ConsoleException($"\"{Terminal.Clean(path)}\" is empty.", ExitCode.WrongUsage);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConsoleException(Checks.Unreadable(path, e), ExitCode.WrongUsage);
        }
    }
}
