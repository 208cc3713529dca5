using Azure.Core;
using Azure.Data.Tables;
using Azure.Identity;
using Azure.Storage.Blobs;

namespace Silo.Storage;

/// <summary>Clients of the storage account that the settings name.</summary>
public sealed class AzureAccount
{
    /// <summary>Where objects are.</summary>
    public const string Container = "orleans";

    /// <summary>A longer bound than any of ours, which are told to the calls themselves.</summary>
    private static readonly TimeSpan NoTimeout = TimeSpan.FromMinutes(10);

    private AzureAccount(TableServiceClient tables, TableServiceClient orleansTables, BlobServiceClient blobs)
    {
        Tables = tables;
        OrleansTables = orleansTables;
        Blobs = blobs.GetBlobContainerClient(Container);
    }

    /// <summary>For our stores: the SDK's retries are off, <see cref="AzurePatience"/> has them.</summary>
    public TableServiceClient Tables { get; }

    /// <summary>
    /// For Orleans' own providers: reads are retried (<see cref="ReadRetryPolicy"/>), and every attempt has a time-out. Both are set here
    /// because Orleans ignores its own settings for them when it is given a client.
    /// </summary>
    public TableServiceClient OrleansTables { get; }

    public BlobContainerClient Blobs { get; }

    public static AzureAccount Of(StorageOptions options)
    {
        if (options.ConnectionString.Length > 0)
        {
            return Of(options.ConnectionString);
        }

        var identity = new DefaultAzureCredential();
        var tables = new Uri($"https://{options.AccountName}.table.core.windows.net/");
        return new(
            new(tables, identity, WithoutRetries(new TableClientOptions())),
            new(tables, identity, ForOrleans(AzureBounds.Usual.AttemptTimeout)),
            new(new Uri($"https://{options.AccountName}.blob.core.windows.net/"), identity, WithoutRetries(new BlobClientOptions()))
        );
    }

    /// <param name="attemptTimeout">For one attempt of Orleans' own providers; null: as <see cref="AzureBounds.Usual"/> has it.</param>
    public static AzureAccount Of(string connectionString, TimeSpan? attemptTimeout = null) =>
        new(
            new(connectionString, WithoutRetries(new TableClientOptions())),
            new(connectionString, ForOrleans(attemptTimeout ?? AzureBounds.Usual.AttemptTimeout)),
            new(connectionString, WithoutRetries(new BlobClientOptions()))
        );

    private static TableClientOptions ForOrleans(TimeSpan attemptTimeout)
    {
        var options = new TableClientOptions { RetryPolicy = new ReadRetryPolicy() };
        options.Retry.NetworkTimeout = attemptTimeout;
        return options;
    }

    private static T WithoutRetries<T>(T options)
        where T : ClientOptions
    {
        options.Retry.MaxRetries = 0;
        options.Retry.NetworkTimeout = NoTimeout;
        return options;
    }
}
