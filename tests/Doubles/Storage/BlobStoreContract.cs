using System.Text;
using Grains.Storage;
using Xunit;

namespace Doubles.Storage;

/// <summary>
/// What every <see cref="IBlobStore"/> keeps. Each case works below a first segment of its own, so that one store may serve all.
/// </summary>
public abstract class BlobStoreContract : IAsyncLifetime
{
    private readonly List<IBlobStore> _opened = [];

    protected IBlobStore Store { get; private set; } = null!;

    protected string Root { get; } = "r-" + Guid.NewGuid().ToString("N");

    /// <summary>Opens the store; a second time, while the first is open, it opens the same blobs as another process would.</summary>
    protected abstract Task<IBlobStore> Open();

    public virtual async ValueTask InitializeAsync() => Store = await OpenAnother();

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var store in _opened)
        {
            switch (store)
            {
                case IAsyncDisposable disposable:
                    await disposable.DisposeAsync();
                    break;
                case IDisposable disposable:
                    disposable.Dispose();
                    break;
            }
        }

        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task ABlobThatWasNeverWrittenIsNull()
    {
        Assert.Null(await Store.Get($"{Root}/nothing"));
        Assert.Null(await Store.Get($"{Root}/nothing/below"));
        Assert.Empty(await Names(Root));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5_000_000)]
    public async Task ABlobIsReadBackAsItWasWritten(int bytes)
    {
        var content = new byte[bytes];
        new Random(bytes).NextBytes(content);

        Assert.True(await Store.Put($"{Root}/blob", content));

        Assert.Equal(content, (await Store.Get($"{Root}/blob"))!.Value.ToArray());
        Assert.Equal([new BlobEntry($"{Root}/blob", bytes)], await Entries(Root));
    }

    [Fact]
    public async Task ANameIsGivenOnce()
    {
        Assert.True(await Store.Put($"{Root}/blob", Bytes("first")));

        Assert.False(await Store.Put($"{Root}/blob", Bytes("second")));
        Assert.False(await Store.Put($"{Root}/blob", Bytes("first")));

        Assert.Equal("first", await Text($"{Root}/blob"));
    }

    [Theory]
    [InlineData(0, null, "0123456789")]
    [InlineData(0, 3, "012")]
    [InlineData(4, 3, "456")]
    [InlineData(4, null, "456789")]
    [InlineData(8, 5, "89")]
    [InlineData(9, 1, "9")]
    [InlineData(10, 1, "")]
    [InlineData(10, null, "")]
    [InlineData(5_000_000_000, 5, "")]
    [InlineData(3, 0, "")]
    public async Task APartIsRead(long offset, int? length, string expected)
    {
        await Store.Put($"{Root}/blob", Bytes("0123456789"));

        Assert.Equal(expected, Encoding.UTF8.GetString((await Store.Get($"{Root}/blob", offset, length))!.Value.Span));
    }

    [Fact]
    public async Task APartOfAnEmptyBlobIsEmpty()
    {
        await Store.Put($"{Root}/blob", default);

        Assert.Equal(0, (await Store.Get($"{Root}/blob", 0, 10))!.Value.Length);
        Assert.Equal(0, (await Store.Get($"{Root}/blob", 5))!.Value.Length);
    }

    [Fact]
    public async Task APartBeforeTheStartIsRefused()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Store.Get($"{Root}/blob", -1));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Store.Get($"{Root}/blob", 0, -1));
    }

    [Fact]
    public async Task ADeletedBlobIsGoneAndItsNameFree()
    {
        await Store.Put($"{Root}/blob", Bytes("first"));

        await Store.Delete($"{Root}/blob");

        Assert.Null(await Store.Get($"{Root}/blob"));
        Assert.Empty(await Names(Root));
        Assert.True(await Store.Put($"{Root}/blob", Bytes("second")));
        Assert.Equal("second", await Text($"{Root}/blob"));
    }

    [Fact]
    public async Task ADeleteOfAnAbsentBlobSucceeds()
    {
        await Store.Put($"{Root}/blob", Bytes("kept"));

        await Store.Delete($"{Root}/other");
        await Store.Delete($"{Root}/other/below");
        await Store.Delete($"{Root}/blob/below");
        await Store.Delete(Root);

        Assert.Equal("kept", await Text($"{Root}/blob"));
    }

    [Fact]
    public async Task NamesAreListedInOrderOfTheirBytes()
    {
        string[] expected =
        [
            $"{Root}/-",
            $"{Root}/..a",
            $"{Root}/.a",
            $"{Root}/0",
            $"{Root}/A",
            $"{Root}/_",
            $"{Root}/a",
            $"{Root}/a-",
            $"{Root}/a-/x",
            $"{Root}/a.",
            $"{Root}/a./x",
            $"{Root}/a/-",
            $"{Root}/a/0",
            $"{Root}/a/b/c",
            $"{Root}/a/~",
            $"{Root}/a0",
            $"{Root}/a0/x",
            $"{Root}/a~",
            $"{Root}/b",
            $"{Root}/~",
        ];
        var shuffled = expected.ToArray();
        new Random(1).Shuffle(shuffled);
        foreach (var name in shuffled)
        {
            Assert.True(await Store.Put(name, Bytes(name)));
        }

        Assert.Equal(expected, await Names(Root));
        Assert.Equal(expected.Where(name => name.StartsWith($"{Root}/a", StringComparison.Ordinal)), await Names($"{Root}/a"));
        Assert.Equal(expected.Where(name => name.StartsWith($"{Root}/a/", StringComparison.Ordinal)), await Names($"{Root}/a/"));
        Assert.Equal([$"{Root}/a/b/c"], await Names($"{Root}/a/b"));
        Assert.Equal([$"{Root}/a~"], await Names($"{Root}/a~"));
        Assert.Empty(await Names($"{Root}/a/b/c/"));
        Assert.Equal(expected, (await Task.WhenAll(expected.Select(Text)))!);
    }

    [Fact]
    public async Task LongNamesAreListedInOrderOfTheirBytesToo()
    {
        var stem = $"{Root}/{new string('x', 200)}";
        string[] expected =
        [
            stem,
            $"{stem}-",
            $"{stem}-{new string('y', 200)}",
            $"{stem}/-",
            $"{stem}/a",
            $"{stem}0",
            $"{stem}0/a",
            $"{stem}{new string('x', 260)}",
        ];
        foreach (var name in expected.Reverse())
        {
            Assert.True(await Store.Put(name, Bytes(name)));
        }

        Assert.Equal(expected, await Names(Root));
        Assert.Equal(expected, (await Task.WhenAll(expected.Select(Text)))!);
        Assert.Equal(expected[3..5], await Names($"{stem}/"));
    }

    [Fact]
    public async Task ANameOfFiveHundredCharactersIsTakenAndOneMoreIsRefused()
    {
        var name = Root + "/" + new string('n', StoreLimits.MaxKeyLength - Root.Length - 1);

        Assert.True(await Store.Put(name, Bytes("long")));
        Assert.Equal("long", await Text(name));
        Assert.Equal([name], await Names(Root));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Store.Put(name + "n", Bytes("x")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData("a/./b")]
    [InlineData("a b")]
    [InlineData("a+")]
    [InlineData("a,")]
    [InlineData("a\\b")]
    [InlineData("ä")]
    [InlineData("a%2e")]
    public async Task AnOddNameIsRefused(string name)
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Store.Put(name, Bytes("x")));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Store.Get(name));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Store.Delete(name));
    }

    [Fact]
    public async Task OfManyThatPutOneNameOneSucceedsAndItsContentStands()
    {
        var other = await OpenAnother();
        for (var round = 0; round < 10; round++)
        {
            var name = $"{Root}/race-{round}";
            var won = await Task.WhenAll(
                Enumerable.Range(0, 16).Select(n => Task.Run(() => (n % 2 == 0 ? Store : other).Put(name, Content(n))))
            );

            var winner = Assert.Single(Enumerable.Range(0, 16), n => won[n]);
            Assert.Equal(Content(winner), (await Store.Get(name))!.Value.ToArray());
        }

        static byte[] Content(int n) => [.. Enumerable.Repeat((byte)n, 100_000 + n)];
    }

    [Fact]
    public async Task WhoReadsWhileABlobIsWrittenSeesAllOrNothing()
    {
        var content = new byte[3_000_000];
        new Random(1).NextBytes(content);
        for (var round = 0; round < 5; round++)
        {
            var name = $"{Root}/{round}";
            var writing = Task.Run(() => Store.Put(name, content));
            while (!writing.IsCompleted)
            {
                Assert.Equal(content.Length, (await Store.Get(name))?.Length ?? content.Length);
                Assert.All(await Entries(name), entry => Assert.Equal(content.Length, entry.Bytes));
            }

            Assert.True(await writing);
        }
    }

    [Fact]
    public async Task WhatOneStorePutAnotherReadsAtOnce()
    {
        var other = await OpenAnother();
        await Store.Put($"{Root}/blob", Bytes("here"));

        Assert.Equal("here", Encoding.UTF8.GetString((await other.Get($"{Root}/blob"))!.Value.Span));
        Assert.False(await other.Put($"{Root}/blob", Bytes("there")));
    }

    [Fact]
    public async Task APutThatIsCancelledBeforeItIsSentWritesNothing()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.Put($"{Root}/blob", Bytes("x"), cancelled.Token));

        Assert.Null(await Store.Get($"{Root}/blob"));
    }

    protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    protected async Task<IBlobStore> OpenAnother()
    {
        var store = await Open();
        _opened.Add(store);
        return store;
    }

    protected async Task<IReadOnlyList<BlobEntry>> Entries(string prefix)
    {
        var entries = new List<BlobEntry>();
        await foreach (var entry in Store.List(prefix))
        {
            entries.Add(entry);
        }

        return entries;
    }

    protected async Task<IReadOnlyList<string>> Names(string prefix) => [.. (await Entries(prefix)).Select(entry => entry.Name)];

    protected async Task<string?> Text(string name) => await Store.Get(name) is { } content ? Encoding.UTF8.GetString(content.Span) : null;
}
