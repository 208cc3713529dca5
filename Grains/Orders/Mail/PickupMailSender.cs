namespace Grains.Orders.Mail;

/// <summary>
/// Writes mails into a folder as <c>.eml</c>, for whoever picks them up. Written aside, flushed, named, and the folder flushed: under a name there is a whole mail or none.
/// The name comes from the Message-ID, so that a repeat replaces itself.
/// </summary>
/// <param name="folder">Made if need be. Several processes may share it.</param>
/// <param name="flushFolder">Makes the names in a folder durable; what that takes is the system's business.</param>
public sealed class PickupMailSender(string folder, Action<string> flushFolder) : IMailSender
{
    /// <summary>Characters of a name; Message-IDs of ours are far shorter.</summary>
    private const int MaxName = 200;

    public async Task<MailOutcome> Send(OutgoingMail mail, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var name = Name(mail.MessageId);

        // Whoever picks up looks at *.eml: what a crash leaves behind has another ending.
        var aside = Path.Combine(folder, $".{name}.{Guid.NewGuid():n}.part");
        try
        {
            Directory.CreateDirectory(folder);
            await using (var file = new FileStream(aside, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous))
            {
                await file.WriteAsync(mail.Bytes, cancel).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
            }

            File.Move(aside, Path.Combine(folder, name + ".eml"), overwrite: true);
            flushFolder(folder);
            return MailOutcome.Delivered($"Written to {name}.eml.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Remove(aside);
            return MailOutcome.Lost(afterDot: false, "pickup", $"The mail could not be written to its folder: {exception.GetType().Name}.");
        }
        catch
        {
            Remove(aside);
            throw;
        }
    }

    /// <summary>Letters, digits, full stop, hyphen and «@» stay; nothing leads out of the folder.</summary>
    internal static string Name(string messageId)
    {
        var name = string.Concat(messageId.Take(MaxName).Select(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '@' or '_' ? character : '_'));
        return name.Length == 0 || name[0] == '.' ? "_" + name : name;
    }

    private static void Remove(string aside)
    {
        try
        {
            File.Delete(aside);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The disk is what failed just now; the file is not called .eml, and nobody picks it up.
        }
    }
}
