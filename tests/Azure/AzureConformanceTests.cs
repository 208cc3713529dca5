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

public sealed class MembershipTableOnAzureTests(Azurite azurite) : MembershipTableContract
{
    private string _connection = "";

    public override async ValueTask InitializeAsync()
    {
        _connection = (await azurite.Use()).ConnectionString;
        await base.InitializeAsync();
    }

    protected override ITableStore Open() => new TablesApart(Azurite.Tables(_connection), Azurite.OwnTables());
}

public sealed class GrainStorageOnAzureTests(Azurite azurite) : GrainStorageContract
{
    private string _connection = "";

    public override async ValueTask InitializeAsync()
    {
        _connection = (await azurite.Use()).ConnectionString;
        await base.InitializeAsync();
    }

    protected override ITableStore Open() => new TablesApart(Azurite.Tables(_connection), Azurite.OwnTables());
}

public sealed class ReminderTableOnAzureTests(Azurite azurite) : ReminderTableContract
{
    private string _connection = "";

    public override async ValueTask InitializeAsync()
    {
        _connection = (await azurite.Use()).ConnectionString;
        await base.InitializeAsync();
    }

    protected override ITableStore Open() => new TablesApart(Azurite.Tables(_connection), Azurite.OwnTables());
}
