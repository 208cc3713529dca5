using Doubles.Storage;
using Grains.Storage;

namespace Unit.Storage;

public sealed class TableStoreInMemoryTests : TableStoreContract
{
    private readonly TableStoreInMemory _store = new();

    protected override Task<ITableStore> Open() => Task.FromResult<ITableStore>(_store);
}
