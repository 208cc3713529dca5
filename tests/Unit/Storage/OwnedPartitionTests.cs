using Doubles;
using Doubles.Storage;
using Grains.Storage;
using Xunit;

namespace Unit.Storage;

public sealed class OwnedPartitionTests
{
    private const string Table = "things";

    private const string Name = "one";

    private readonly FlakyTableStore _store = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task TheFirstOwnerFindsNoHeadAndTheNextOneFindsItsOwn() =>
        Turns.Run(async () =>
        {
            var first = await Open(1);
            Assert.Null(first.Head);
            Assert.Equal([1], (await OwnedPartition.Read(_store, Table, Name, Cancel)).Head!.Value.ToArray());
        });

    [Fact]
    public Task ASecondOwnersFenceEndsTheFirst() =>
        Turns.Run(async () =>
        {
            var first = await Open(1);
            var second = await Open(2);
            await Assert.ThrowsAsync<PartitionLostException>(() => first.Commit([RowChange.Put("a", new byte[] { 1 })]));
            Assert.NotNull(first.Lost);
            await second.Commit([RowChange.Put("a", new byte[] { 2 })]);
            Assert.Equal([2], (await second.Get("a", Cancel))!.Payload.ToArray());
        });

    [Fact]
    public async Task NothingIsCommittedBeforeThePartitionIsOwned()
    {
        var partition = await OwnedPartition.Read(_store, Table, Name, Cancel);
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => partition.Fence());
        Assert.Equal("things/one is not fenced: nothing can be committed to it yet.", refused.Message);
    }

    [Fact]
    public Task EveryRowOfARangeComesInOrderHoweverManyPagesThereAre() =>
        Turns.Run(async () =>
        {
            var partition = await Open(1);
            var keys = Enumerable.Range(0, 25).Select(number => $"r.{number:00}").ToList();
            await partition.Commit([.. keys.Select(key => RowChange.Put(key, ReadOnlyMemory<byte>.Empty))]);
            foreach (var page in new[] { 1, 5, 24, 25, 26, StoreLimits.MaxScan })
            {
                var found = new List<string>();
                await foreach (var row in partition.ScanAll(KeyRange.Prefix("r."), page, Cancel))
                {
                    found.Add(row.Key);
                }

                Assert.Equal(keys, found);
            }
        });

    [Fact]
    public Task RowsThatAreChangedInACommitAlreadyGoIntoTheNext() =>
        Turns.Run(async () =>
        {
            var partition = await Open(1);
            await Task.WhenAll(
                partition.Commit([RowChange.Put("a", new byte[] { 1 })]),
                partition.Commit([RowChange.Put("a", new byte[] { 2 })])
            );
            Assert.Equal([2], (await partition.Get("a", Cancel))!.Payload.ToArray());
        });

    private async Task<OwnedPartition> Open(byte head)
    {
        var partition = await OwnedPartition.Read(_store, Table, Name, Cancel);
        partition.Own(() => [head]);
        await partition.Fence();
        return partition;
    }
}
