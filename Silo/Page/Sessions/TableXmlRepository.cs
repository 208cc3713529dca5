using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Grains.Storage;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Silo.Keys;

namespace Silo.Page.Sessions;

/// <summary>
/// Keeps the keys of Data Protection as rows beside the API keys, so that a cookie survives a restart and is good at every front. A row per
/// key, about one in 90 days.
/// Whoever reads the store can make cookies: the store is trusted, as it is with everything else.
/// </summary>
internal sealed class TableXmlRepository(ITableStore store) : IXmlRepository
{
    public const string Partition = "data-protection";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    public IReadOnlyCollection<XElement> GetAllElements() =>
        Wait(async cancel =>
            (IReadOnlyCollection<XElement>)
                [
                    .. (await store.Scan(KeyTable.Name, Partition, KeyRange.All, StoreLimits.MaxScan, cancel)).Select(row =>
                        XElement.Parse(Encoding.UTF8.GetString(row.Payload.Span))
                    ),
                ]
        );

    /// <exception cref="IOException">The store did not say that it is kept.</exception>
    public void StoreElement(XElement element, string friendlyName)
    {
        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(friendlyName)));
        var payload = Encoding.UTF8.GetBytes(element.ToString(SaveOptions.DisableFormatting));
        var commit = Wait(cancel => store.Commit(KeyTable.Name, Partition, [RowChange.Put(key, payload)], cancel));
        if (commit.Outcome != CommitOutcome.Committed)
        {
            throw new IOException($"The store did not say whether the key {friendlyName} of Data Protection was kept.");
        }
    }

    /// <summary>The interface of Data Protection waits; it asks at the first login and once a day.</summary>
    private static T Wait<T>(Func<CancellationToken, Task<T>> work)
    {
        using var bound = new CancellationTokenSource(Timeout);
        return Task.Run(() => work(bound.Token)).GetAwaiter().GetResult();
    }
}
