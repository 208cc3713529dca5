using Grains.Interfaces.Orders;
using Grains.Orders.Rows;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>
/// Writes mails into a folder as <c>.eml</c>, for whoever picks them up. Written aside, flushed, named, and the folder flushed: under a
/// name there is a whole mail or none.
/// The name comes from the Message-ID, so that a repeat replaces itself.
/// </summary>
/// <param name="folder">Made if need be. Several processes may share it.</param>
/// <param name="flushFolder">Makes the names in a folder durable; what that takes is the system's business.</param>
/// <param name="former">Folders that mails may have been written to under other settings: erasures reach them too.</param>
public sealed class PickupMailSender(string folder, Action<string> flushFolder, params IEnumerable<string> former) : IMailSender
{
    /// <summary>Characters of a name; Message-IDs of ours are far shorter.</summary>
    private const int MaxName = 200;

    private const string Aside = ".part";

    public async Task<MailOutcome> Send(OutgoingMail mail, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var name = Name(mail.MessageId);

        // Whoever picks up looks at *.eml: what a crash leaves behind has another ending.
        var aside = Path.Combine(folder, $".{name}.{Guid.NewGuid():n}{Aside}");
        try
        {
            Directory.CreateDirectory(folder);
            await using (
                var file = new FileStream(
                    aside,
                    FileMode.CreateNew,
                    FileAccess.Write,
                    FileShare.None,
                    bufferSize: 0,
                    FileOptions.Asynchronous
                )
            )
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
            return MailOutcome.Lost(
                afterDot: false,
                DeliveryReasons.Pickup,
                $"The mail could not be written to its folder: {exception.GetType().Name}."
            );
        }
        catch
        {
            Remove(aside);
            throw;
        }
    }

    /// <summary>Removes the mails of these orders, also those that a crash left half written. Durable when it answers.</summary>
    public void Remove(IReadOnlyCollection<OrderId> orders)
    {
        // The name begins with the order's id: see MailComposer.MessageId.
        var ids = orders.Select(order => order.Value).ToHashSet(StringComparer.Ordinal);
        foreach (var place in former.Prepend(folder).Distinct(StringComparer.Ordinal).Where(Directory.Exists))
        {
            Remove(place, ids);
        }
    }

    private void Remove(string place, HashSet<string> ids)
    {
        var removed = false;
        foreach (
            var path in Directory
                .EnumerateFiles(place)
                .Where(path =>
                    Path.GetExtension(path) is ".eml" or Aside && ids.Contains(Path.GetFileName(path).TrimStart('.').Split('.')[0])
                )
        )
        {
            File.Delete(path);
            removed = true;
        }

        if (removed)
        {
            flushFolder(place);
        }
    }

    /// <summary>
    /// Removes what crashes left half written; files that are younger may be of a mail that is being written by another process.
    /// </summary>
    /// <returns>How many.</returns>
    public int Sweep(DateTimeOffset before)
    {
        if (!Directory.Exists(folder))
        {
            return 0;
        }

        var left = Directory
            .EnumerateFiles(folder, ".*" + Aside)
            .Where(path => File.GetLastWriteTimeUtc(path) < before.UtcDateTime)
            .ToList();
        left.ForEach(File.Delete);
        return left.Count;
    }

    /// <summary>Letters, digits, full stop, hyphen and "@" stay; nothing leads out of the folder.</summary>
    internal static string Name(string messageId)
    {
        var name = string.Concat(
            messageId
                .Take(MaxName)
                .Select(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '@' or '_' ? character : '_')
        );
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
