using System.Text;
using Grains.Interfaces.Logs;
using Grains.Logs.Sql;
using Xunit;

namespace Unit.Logs.Sql;

public sealed class SqlFramesTests
{
    private static readonly SqlRequest Request = new(
        "select 1",
        0,
        ulong.MaxValue,
        ["/a/b.parquet"],
        Limit: 2,
        MaxBytes: 10,
        Memory: 1,
        DataBytes: 2
    );

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WhatWasWrittenIsReadFrameByFrame()
    {
        using var pipe = Pipe((SqlFrameKind.Ready, ""), (SqlFrameKind.Row, "[1]"), (SqlFrameKind.Row, "[\"größer\"]"));

        Assert.Equal("Ready ", Text(await SqlFrames.Read(pipe, 100, Cancel)));
        Assert.Equal("Row [1]", Text(await SqlFrames.Read(pipe, 100, Cancel)));
        Assert.Equal("Row [\"größer\"]", Text(await SqlFrames.Read(pipe, 100, Cancel)));
        Assert.Null(await SqlFrames.Read(pipe, 100, Cancel));
    }

    [Fact]
    public async Task ARequestArrivesAsItWasMade()
    {
        using var pipe = new MemoryStream();
        SqlFrames.Write(pipe, SqlFrameKind.Request, Request, SqlJson.Default.SqlRequest);
        pipe.Position = 0;

        var read = (await SqlFrames.Read(pipe, 1000, Cancel))!.Value.Read(SqlJson.Default.SqlRequest);

        Assert.Equal(Request with { Paths = read.Paths }, read);
        Assert.Equal(Request.Paths, read.Paths);
    }

    [Fact]
    public async Task AFrameLongerThanItMayBeIsRefusedBeforeItIsRead()
    {
        using var pipe = new MemoryStream([0xFF, 0xFF, 0xFF, 0x7F, (byte)SqlFrameKind.Row]);

        await Assert.ThrowsAsync<InvalidDataException>(async () => await SqlFrames.Read(pipe, 1000, Cancel));
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 4 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 99 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 0 })]
    public async Task WhatIsNoFrameIsRefused(byte[] bytes)
    {
        using var pipe = new MemoryStream(bytes);

        await Assert.ThrowsAsync<InvalidDataException>(async () => await SqlFrames.Read(pipe, 1000, Cancel));
    }

    [Theory]
    [InlineData(new byte[] { 1, 0, 0 })]
    [InlineData(new byte[] { 4, 0, 0, 0, 4, (byte)'[' })]
    public async Task APipeThatEndsWithinAFrameIsNoEnd(byte[] bytes)
    {
        using var pipe = new MemoryStream(bytes);

        await Assert.ThrowsAsync<EndOfStreamException>(async () => await SqlFrames.Read(pipe, 1000, Cancel));
    }

    [Fact]
    public async Task AnAnswerIsItsColumnsItsRowsAndItsEnd()
    {
        using var pipe = Pipe(
            (SqlFrameKind.Columns, """{"Names":["a"],"Types":["Integer"]}"""),
            (SqlFrameKind.Row, "[1]"),
            (SqlFrameKind.End, """{"Outcome":1,"Sentence":"More.","Unreadable":[]}""")
        );

        var answer = await SqlFrames.ReadAnswer(pipe, Request);

        Assert.Equal(("a", "Integer", "[1]"), (Assert.Single(answer.Columns), Assert.Single(answer.Types), Assert.Single(answer.Rows)));
        Assert.Equal((QueryOutcome.Limit, "More."), (answer.End.Outcome, answer.End.Sentence));
    }

    [Fact]
    public async Task MoreRowsThanWereAskedForAreNoAnswer()
    {
        using var pipe = Pipe((SqlFrameKind.Row, "[1]"), (SqlFrameKind.Row, "[2]"), (SqlFrameKind.Row, "[3]"));

        await Assert.ThrowsAsync<InvalidDataException>(() => SqlFrames.ReadAnswer(pipe, Request));
    }

    [Fact]
    public async Task MoreBytesOfRowsThanWereAskedForAreNoAnswer()
    {
        using var pipe = Pipe((SqlFrameKind.Row, "[123456]"), (SqlFrameKind.Row, "[1]"));

        await Assert.ThrowsAsync<InvalidDataException>(() => SqlFrames.ReadAnswer(pipe, Request));
    }

    [Theory]
    [InlineData(SqlFrameKind.Ready)]
    [InlineData(SqlFrameKind.Request)]
    public async Task AFrameThatBelongsElsewhereIsNoAnswer(SqlFrameKind kind)
    {
        using var pipe = Pipe((kind, ""));

        await Assert.ThrowsAsync<InvalidDataException>(() => SqlFrames.ReadAnswer(pipe, Request));
    }

    [Fact]
    public async Task AnAnswerThatStopsHalfWayIsNoAnswer()
    {
        using var pipe = Pipe((SqlFrameKind.Row, "[1]"));

        await Assert.ThrowsAsync<EndOfStreamException>(() => SqlFrames.ReadAnswer(pipe, Request));
    }

    private static MemoryStream Pipe(params (SqlFrameKind Kind, string Content)[] frames)
    {
        var pipe = new MemoryStream();
        foreach (var (kind, content) in frames)
        {
            SqlFrames.Write(pipe, kind, Encoding.UTF8.GetBytes(content));
        }

        pipe.Position = 0;
        return pipe;
    }

    private static string Text(SqlFrame? frame) => $"{frame!.Value.Kind} {Encoding.UTF8.GetString(frame.Value.Content.Span)}";
}
