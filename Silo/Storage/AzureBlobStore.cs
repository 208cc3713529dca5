using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Grains.Storage;

namespace Silo.Storage;

/// <summary>Blobs of one container in Azure Storage.</summary>
/// <remarks>
/// <para>An object is written by one request that fails if the name is taken, and carries the id of its put: so a put without a certain
/// outcome is settled by reading that id.
/// While nothing of that name is there it is tried again, within <see cref="AzureBounds.Attempts"/>.</para>
/// <para>A request may take <see cref="AzureBounds.AttemptTimeout"/> and a second more for each <see cref="BytesPerSecond"/>.</para>
/// </remarks>
public sealed class AzureBlobStore : IBlobStore
{
    /// <summary>The slowest transfer that is waited for.</summary>
    public const int BytesPerSecond = 1024 * 1024;

    private const string PutProperty = "put";

    private readonly BlobContainerClient _container;
    private readonly AzurePatience _patience;

    /// <param name="container">With the SDK's retries off, as <see cref="AzureAccount"/> makes it.</param>
    /// <param name="chance">A number from 0 to 1, for the spread of pauses.</param>
    public AzureBlobStore(
        BlobContainerClient container,
        AzureBounds bounds,
        TimeProvider clock,
        Func<double> chance,
        ILogger<AzureBlobStore> logger
    )
    {
        _container = container;
        _patience = new(bounds, clock, chance, logger);
    }

    /// <summary>Makes the container if there is none.</summary>
    /// <exception cref="RequestFailedException">The rights do not allow it.</exception>
    public Task Make(CancellationToken cancel = default) =>
        _patience.Read(bound => _container.CreateIfNotExistsAsync(cancellationToken: bound), cancel);

    /// <exception cref="OutcomeUnknownException">The object may be there or not, or may come yet.</exception>
    public async Task<bool> Put(string name, ReadOnlyMemory<byte> content, CancellationToken cancel = default)
    {
        StoreLimits.CheckBlobName(name);
        if (content.Length > StoreLimits.MaxBlobBytes)
        {
            throw new ArgumentException(
                $"A blob has at most {StoreLimits.MaxBlobBytes} bytes; \"{name}\" has {content.Length}.",
                nameof(content)
            );
        }

        cancel.ThrowIfCancellationRequested();
        var blob = _container.GetBlobClient(name);
        var id = Guid.NewGuid().ToString("N");
        var upload = new BlobUploadOptions
        {
            Conditions = new() { IfNoneMatch = ETag.All },
            Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { [PutProperty] = id },
            TransferOptions = new() { InitialTransferSize = StoreLimits.MaxBlobBytes },
        };
        Exception? uncertain = null;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await _patience.Once(
                    bound => blob.UploadAsync(BinaryData.FromBytes(content), upload, bound),
                    TimeFor(content.Length),
                    cancel
                );
                return true;
            }
            catch (RequestFailedException taken)
                when (taken.Status is 409 or 412
                    && (taken.ErrorCode == BlobErrorCode.BlobAlreadyExists || taken.ErrorCode == BlobErrorCode.ConditionNotMet)
                )
            {
                if (uncertain is null)
                {
                    return false;
                }

                if (await PutOf(blob, name, uncertain, cancel) is { } other)
                {
                    return other == id;
                }

                throw Unknown(name, uncertain);
            }
            catch (Exception failure) when (AzureFailures.Kind(failure) != AzureFailure.Refused)
            {
                if (AzureFailures.Kind(failure) == AzureFailure.Uncertain)
                {
                    uncertain = failure;
                    if (await PutOf(blob, name, failure, cancel) is { } put)
                    {
                        return put == id;
                    }
                }

                if (attempt == _patience.Bounds.Attempts)
                {
                    throw uncertain is null ? failure : Unknown(name, uncertain);
                }

                await _patience.Pause(attempt, failure, cancel);
            }
        }
    }

    public async Task<ReadOnlyMemory<byte>?> Get(string name, long offset = 0, int? length = null, CancellationToken cancel = default)
    {
        StoreLimits.CheckBlobName(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length ?? 0, nameof(length));
        cancel.ThrowIfCancellationRequested();
        var blob = _container.GetBlobClient(name);
        try
        {
            if (length == 0)
            {
                await _patience.Read(bound => blob.GetPropertiesAsync(cancellationToken: bound), cancel);
                return ReadOnlyMemory<byte>.Empty;
            }

            var whole = offset == 0 && length is null;
            var part = new BlobDownloadOptions { Range = whole ? default : new HttpRange(offset, length) };
            var answer = await _patience.Read(
                bound => blob.DownloadContentAsync(part, bound),
                TimeFor(length ?? StoreLimits.MaxBlobBytes),
                cancel
            );
            return answer.Value.Content.ToMemory();
        }
        catch (RequestFailedException beyond) when (beyond.Status == 416)
        {
            return ReadOnlyMemory<byte>.Empty;
        }
        catch (RequestFailedException absent) when (absent.Status == 404)
        {
            return null;
        }
    }

    public async IAsyncEnumerable<BlobEntry> List(string prefix, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        string? more = null;
        do
        {
            var page = await Page(prefix, more, cancel);
            foreach (var blob in page?.Values ?? [])
            {
                yield return new(blob.Name, blob.Properties.ContentLength ?? 0);
            }

            more = page?.ContinuationToken;
        } while (!string.IsNullOrEmpty(more));
    }

    public Task Delete(string name, CancellationToken cancel = default)
    {
        StoreLimits.CheckBlobName(name);
        cancel.ThrowIfCancellationRequested();

        // Twice is as good as once: a name is never given again to something else while whoever deletes it waits.
        return _patience.Read(bound => _container.GetBlobClient(name).DeleteIfExistsAsync(cancellationToken: bound), cancel);
    }

    private TimeSpan TimeFor(int bytes) => _patience.Bounds.AttemptTimeout + TimeSpan.FromSeconds(bytes / (double)BytesPerSecond);

    /// <summary>The id of the put that wrote what is there; null when nothing is.</summary>
    private async Task<string?> PutOf(BlobClient blob, string name, Exception uncertain, CancellationToken cancel)
    {
        try
        {
            var found = await _patience.Read(bound => blob.GetPropertiesAsync(cancellationToken: bound), cancel);
            return found.Value.Metadata.TryGetValue(PutProperty, out var id) ? id : "";
        }
        catch (RequestFailedException absent) when (absent.Status == 404)
        {
            return null;
        }
        catch (Exception unread) when (AzureFailures.Kind(unread) != AzureFailure.Refused)
        {
            throw Unknown(name, uncertain);
        }
    }

    private Task<Page<BlobItem>?> Page(string prefix, string? more, CancellationToken cancel) =>
        _patience.Read(
            async bound =>
            {
                try
                {
                    var options = new GetBlobsOptions { Prefix = prefix };
                    await using var pages = _container.GetBlobsAsync(options, bound).AsPages(more).GetAsyncEnumerator(bound);
                    return await pages.MoveNextAsync() ? pages.Current : null;
                }
                catch (RequestFailedException missing) when (missing.ErrorCode == BlobErrorCode.ContainerNotFound)
                {
                    return null;
                }
            },
            cancel
        );

    private static OutcomeUnknownException Unknown(string name, Exception cause) =>
        new($"Azure Storage did not say whether blob \"{name}\" was written ({AzureFailures.Sentence(cause)}).", cause);
}
