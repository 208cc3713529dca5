using Xunit;

namespace EndToEnd.Orders;

/// <summary>
/// A silo with two subscribers more, one of which fails with orders of customers whose names begin with <c>fails</c>, until they are
/// mended.
/// </summary>
public sealed class WitnessSilo : IAsyncLifetime
{
    private SiloProcess? _silo;

    public SiloPlace Place { get; } = new();

    internal OrderDoor Door { get; private set; } = null!;

    private string Seen => Path.Combine(Place.Folder, "seen");

    public async ValueTask InitializeAsync()
    {
        Door = new(Place);
        _silo = await SiloProcess.WhenReady(
            SiloProcess.StartOther("Witness.dll", Place, [("WITNESS_FOLDER", Seen)], "--Orders:Partitions", "2")
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null)
        {
            await _silo.DisposeAsync();
        }

        Door.Dispose();
        Place.Dispose();
    }

    /// <summary>From now on orders of this customer are handled.</summary>
    public void Mend(string customer)
    {
        Directory.CreateDirectory(Path.Combine(Seen, "mended"));
        File.Create(Path.Combine(Seen, "mended", customer)).Dispose();
    }

    /// <summary>Ends it as an operator does, so that another may be started in its place.</summary>
    public async Task Stop() => Assert.Equal(0, await _silo!.Stop());
}
