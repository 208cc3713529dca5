using Doubles.Azurite;
using Microsoft.Extensions.Logging.Abstractions;
using Silo.Storage;
using Xunit;

[assembly: AssemblyFixture(typeof(AzureTests.Azurite))]

namespace AzureTests;

/// <summary>
/// One Azurite for all tests that ask for it, started when the first one does. Where it cannot be had, they are counted as skipped, with
/// the reason;
/// with <c>CI=true</c> they fail.
/// </summary>
public sealed class Azurite : IAsyncDisposable
{
    private readonly Lazy<Task<AzuriteProcess>> _process = new(() => AzuriteProcess.Start());

    /// <summary>Short pauses, and a time-out that a busy machine keeps all the same.</summary>
    public static AzureBounds Bounds { get; } =
        AzureBounds.Usual with
        {
            FirstPause = TimeSpan.FromMilliseconds(5),
            LongestPause = TimeSpan.FromMilliseconds(50),
        };

    public async Task<AzuriteProcess> Use()
    {
        try
        {
            return await _process.Value;
        }
        catch (AzuriteMissingException missing) when (Environment.GetEnvironmentVariable("CI") != "true")
        {
            Assert.Skip(missing.Message);
            throw;
        }
    }

    /// <summary>One more: a cluster's data is all of an account, so a test that starts a silo needs its own.</summary>
    public async Task<AzuriteProcess> Own()
    {
        await Use(); // Skipped where there is none.
        return await AzuriteProcess.Start();
    }

    public static AzureTableStore Tables(string connectionString, AzureBounds? bounds = null) =>
        new(
            AzureAccount.Of(connectionString).Tables,
            bounds ?? Bounds,
            TimeProvider.System,
            Random.Shared.NextDouble,
            NullLogger<AzureTableStore>.Instance
        );

    public static async Task<AzureBlobStore> Blobs(string connectionString, AzureBounds? bounds = null)
    {
        var blobs = new AzureBlobStore(
            AzureAccount.Of(connectionString).Blobs,
            bounds ?? Bounds,
            TimeProvider.System,
            Random.Shared.NextDouble,
            NullLogger<AzureBlobStore>.Instance
        );
        await blobs.Make();
        return blobs;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
        {
            await (await _process.Value).DisposeAsync();
        }
    }
}
