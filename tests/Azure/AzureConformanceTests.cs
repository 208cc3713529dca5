using Doubles.Storage;
using Grains.Storage;

namespace AzureTests;

public sealed class AzureTableStoreTests(Azurite azurite) : TableStoreContract
{
    protected override async Task<ITableStore> Open() => Azurite.Tables((await azurite.Use()).ConnectionString);
}

public sealed class AzureBlobStoreTests(Azurite azurite) : BlobStoreContract
{
    protected override async Task<IBlobStore> Open() => await Azurite.Blobs((await azurite.Use()).ConnectionString);
}
