using System.Data.Common;
using Azure;
using Grains.Storage;
using Microsoft.AspNetCore.Connections;

namespace Silo.Storage;

/// <summary>Tells failures of a store from those of anything else.</summary>
internal static class StoreFailures
{
    /// <summary>Whether a failure is the store's, and may be gone when it is tried again.</summary>
    public static bool IsOfStore(Exception failure) =>
        failure
            is PartitionLostException
                or OutcomeUnknownException
                or DbException
                or RequestFailedException { Status: 0 or 408 or 429 or >= 500 }
        || (failure is IOException and not BadHttpRequestException and not ConnectionResetException and not FileNotFoundException);
}
