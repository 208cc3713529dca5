using System.Collections.Immutable;
using System.IO.Compression;
using Grains.Crawling.Pages;
using Xunit;

namespace Unit.Crawling;

public sealed class BoundedBodyTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(16 * 1024)]
    [InlineData(100_000)]
    public async Task NotMoreThanOneByteBeyondTheLimitIsTaken(int limit)
    {
        var endless = new EndlessStream();

        var body = await BoundedBody.Read(endless, [], limit, Cancel);

        Assert.Equal(limit, body.Bytes.Length);
        Assert.True(body.Truncated);
        Assert.Equal(limit + 1, endless.Given);
        Assert.Equal(limit + 1, body.WireBytes);
    }

    [Fact]
    public async Task ABombUnpacksNoFurtherThanTheLimit()
    {
        // 100 MB of zeros in about 100 KB; a hundredth of it is wanted.
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            for (var i = 0; i < 100; i++)
            {
                gzip.Write(new byte[1_000_000]);
            }
        }

        packed.Position = 0;
        var body = await BoundedBody.Read(packed, ["gzip"], 1_000_000, Cancel);

        Assert.Equal(1_000_000, body.Bytes.Length);
        Assert.True(body.Truncated);
        Assert.Null(body.Error);

        // The decompressor reads its input in pieces of 8 KiB. It has met the hundredth part of it, and a piece at most.
        Assert.InRange(body.WireBytes, 1, packed.Length / 100 + 8192);
    }

    [Fact]
    public async Task CompressedBytesThatYieldNothingEndToo()
    {
        // Stored blocks of no length, for ever: a stream that decompresses to nothing.
        var nothing = new EndlessStream(0x00, 0x00, 0x00, 0xFF, 0xFF);

        var body = await BoundedBody.Read(nothing, ["deflate"], 1000, Cancel);

        Assert.Empty(body.Bytes);
        Assert.True(body.Truncated);
        Assert.Equal(1000 + BoundedBody.WireSlack, body.WireBytes);
        Assert.Equal(1000 + BoundedBody.WireSlack, nothing.Given);
    }

    [Fact]
    public async Task AWireThatBreaksIsNotABodyThatIsWrong()
    {
        ImmutableArray<string> gzip = ["gzip"];

        await Assert.ThrowsAsync<IOException>(() => BoundedBody.Read(new BreakingStream(), gzip, 1000, Cancel));
        await Assert.ThrowsAsync<IOException>(() => BoundedBody.Read(new BreakingStream(), [], 1000, Cancel));
    }

    /// <summary>Gives the same bytes over and over, and counts them.</summary>
    private sealed class EndlessStream(params byte[] pattern) : MemoryStream
    {
        public long Given { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            for (var i = 0; i < buffer.Length; i++)
            {
                buffer.Span[i] = pattern.Length == 0 ? (byte)'x' : pattern[(Given + i) % pattern.Length];
            }

            Given += buffer.Length;
            return ValueTask.FromResult(buffer.Length);
        }
    }

    private sealed class BreakingStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw new IOException("Broken.");
    }
}
