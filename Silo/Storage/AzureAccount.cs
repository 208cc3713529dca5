using Azure.Core;
using Azure.Data.Tables;
using Azure.Identity;
using Azure.Storage.Blobs;

namespace Silo.Storage;

/// <summary>
/// Clients of the storage account that the settings name, with the SDK's retries off: <see cref="AzurePatience"/> has them.
/// </summary>
public sealed class AzureAccount
{
    /// <summary>Where objects are.</summary>
    public const string Container = "orleans";

    /// <summary>A longer bound than any of ours, which are told to the calls themselves.</summary>
    private static readonly TimeSpan NetworkTimeout = TimeSpan.FromMinutes(10);

    private AzureAccount(TableServiceClient tables, BlobServiceClient blobs)
    {
        Tables = tables;
        Blobs = blobs.GetBlobContainerClient(Container);
    }

    public TableServiceClient Tables { get; }

    public BlobContainerClient Blobs { get; }

    public static AzureAccount Of(StorageOptions options)
    {
        if (options.ConnectionString.Length > 0)
        {
            return Of(options.ConnectionString);
        }

        var identity = new DefaultAzureCredential();
        return new(
            new(new Uri($"https://{options.AccountName}.table.core.windows.net/"), identity, ForTables()),
            new(new Uri($"https://{options.AccountName}.blob.core.windows.net/"), identity, ForBlobs())
        );
    }

    public static AzureAccount Of(string connectionString) => new(new(connectionString, ForTables()), new(connectionString, ForBlobs()));

    private static TableClientOptions ForTables()
    {
        var options = new TableClientOptions();
        Bound(options.Retry);
        return options;
    }

    private static BlobClientOptions ForBlobs()
    {
        var options = new BlobClientOptions();
        Bound(options.Retry);
        return options;
    }

    private static void Bound(RetryOptions retry)
    {
        retry.MaxRetries = 0;
        retry.NetworkTimeout = NetworkTimeout;
    }
}
