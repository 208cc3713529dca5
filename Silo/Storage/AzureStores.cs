using Azure;
using Azure.Identity;
using Grains.Crawling.Rows;
using Grains.Logs.Rows;
using Grains.Orders.Deliveries.Mail;
using Grains.Orders.Deliveries.Webhooks;
using Grains.Orders.Rows;
using Grains.Storage;
using Microsoft.Extensions.Options;
using Silo.StartUp;

namespace Silo.Storage;

/// <summary>
/// The table store and the blob store of a silo on Azure Storage. As a check at start-up it makes the tables and the container, or says
/// what is missing for that.
/// </summary>
public sealed class AzureStores(AzureTableStore tables, AzureBlobStore blobs, IOptions<StorageOptions> storage)
    : IStorageUsage,
        IStartUpCheck
{
    /// <summary>A table per system. Others are made when first written to, and Orleans' own providers make theirs.</summary>
    private static readonly string[] Tables =
    [
        DataFormat.Table,
        CrawlTable.Name,
        LogTable.Name,
        OrderTable.Name,
        SubscriberTable.Name,
        MailTable.Name,
        EndpointTable.Name,
    ];

    /// <summary>Nothing: the service tells an account's size once a day, and not by table.</summary>
    public ValueTask<IReadOnlyList<StorageShare>> Measure(CancellationToken cancel = default) =>
        ValueTask.FromResult<IReadOnlyList<StorageShare>>([]);

    public async Task Run(CancellationToken cancel)
    {
        foreach (var table in Tables)
        {
            await Make($"table \"{table}\"", "Storage Table Data Contributor", () => tables.Make(table, cancel));
        }

        await Make($"container \"{AzureAccount.Container}\"", "Storage Blob Data Contributor", () => blobs.Make(cancel));
    }

    private async Task Make(string what, string role, Func<Task> make)
    {
        var account = storage.Value.Place;
        try
        {
            await make();
        }
        catch (RequestFailedException denied) when (denied.Status is 401 or 403)
        {
            throw new StartUpException(
                $"The {what} cannot be made in {account}: the service answered {AzureFailures.Sentence(denied)}. "
                    + $"Give this silo's identity the role {role}, or check the key in Storage:ConnectionString.",
                denied
            );
        }
        catch (AuthenticationFailedException anonymous)
        {
            throw new StartUpException(
                $"This silo has no identity that {account} could know: {AzureFailures.Sentence(anonymous)}. "
                    + "Run it with a managed identity, sign in with the Azure command line, or give Storage:ConnectionString.",
                anonymous
            );
        }
        catch (Exception failure) when (failure is RequestFailedException or TimeoutException)
        {
            throw new StartUpException(
                $"The {what} cannot be made in {account}: {AzureFailures.Sentence(failure)}. "
                    + "Check that the account is there and can be reached from here, or that Azurite runs.",
                failure
            );
        }
    }
}
