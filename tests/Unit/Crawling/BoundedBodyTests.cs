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

    [Theory]
    [InlineData("")]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public async Task ABodyWhoseWireBreaksIsKeptAsFarAsItCame(string encoding)
    {
        ImmutableArray<string> encodings = encoding.Length == 0 ? [] : [encoding];
        var whole = new byte[50_000];
        new Random(1).NextBytes(whole);
        using var packed = new MemoryStream();
        await using (var writer = Packer(encoding, packed))
        {
            await writer.WriteAsync(whole, Cancel);
        }

        var half = packed.ToArray()[..(packed.ToArray().Length / 2)];
        var body = await BoundedBody.Read(new BreakingStream(half), encodings, 1_000_000, Cancel);

        Assert.True(body.Truncated);
        Assert.Equal($"The body ended early, after {half.Length} bytes: Broken.", body.Error);
        Assert.InRange(body.Bytes.Length, 1, whole.Length - 1);
        Assert.True(whole.AsSpan().StartsWith(body.Bytes));
    }

    private static Stream Packer(string encoding, MemoryStream to) =>
        encoding switch
        {
            "gzip" => new GZipStream(to, CompressionLevel.Optimal, leaveOpen: true),
            "deflate" => new ZLibStream(to, CompressionLevel.Optimal, leaveOpen: true),
            "br" => new BrotliStream(to, CompressionLevel.Optimal, leaveOpen: true),
            _ => to,
        };

    [Theory]
    [InlineData("")]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task ABodyOfWhichNothingCameIsEmptyAndSaysSo(string encoding)
    {
        ImmutableArray<string> encodings = encoding.Length == 0 ? [] : [encoding];

        var body = await BoundedBody.Read(new BreakingStream([]), encodings, 1000, Cancel);

        Assert.Empty(body.Bytes);
        Assert.True(body.Truncated);
        Assert.Equal("The body ended early, after 0 bytes: Broken.", body.Error);
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

    /// <summary>Gives its bytes and then breaks, as often as it is asked.</summary>
    private sealed class BreakingStream(byte[] bytes) : MemoryStream
    {
        private int _at;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_at == bytes.Length)
            {
                throw new IOException("Broken.");
            }

            var length = Math.Min(buffer.Length, bytes.Length - _at);
            bytes.AsSpan(_at, length).CopyTo(buffer.Span);
            _at += length;
            return ValueTask.FromResult(length);
        }
    }
}
