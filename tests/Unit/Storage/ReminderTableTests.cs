using Doubles.Storage;
using Grains.Storage;
using Silo.Storage;

namespace Unit.Storage;

public sealed class ReminderTableInMemoryTests : ReminderTableContract
{
    protected override ITableStore Open() => new TableStoreInMemory();
}

public sealed class ReminderTableOnSqliteTests : ReminderTableContract
{
    private readonly TemporaryFolder _folder = new();
    private SqliteTableStore? _store;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _store!.DisposeAsync();
        _folder.Dispose();
    }

    protected override ITableStore Open() => _store = SqliteTableStore.Open(_folder.Path);
}
