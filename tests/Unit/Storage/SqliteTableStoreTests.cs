using Doubles.Storage;
using Grains.Storage;
using Silo.Storage;

namespace Unit.Storage;

public sealed class SqliteTableStoreTests : TableStoreContract
{
    private readonly TemporaryFolder _folder = new();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }

    protected override Task<ITableStore> Open() => Task.FromResult<ITableStore>(SqliteTableStore.Open(_folder.Path));
}
