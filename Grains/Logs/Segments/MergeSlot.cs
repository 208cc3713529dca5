namespace Grains.Logs.Segments;

/// <summary>
/// One merge at a time in a silo: each holds up to 24 MiB of records, about three times over, and a processor that others need.
/// </summary>
public sealed class MergeSlot : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);

    public async Task<IDisposable> Take()
    {
        await _turn.WaitAsync();
        return new Turn(_turn);
    }

    public void Dispose() => _turn.Dispose();

    private sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        private SemaphoreSlim? _turn = turn;

        public void Dispose() => Interlocked.Exchange(ref _turn, null)?.Release();
    }
}
