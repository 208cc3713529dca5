using System.IO.Compression;
using System.IO.Pipelines;
using Grains.Logs.Intake;
using Microsoft.Extensions.Time.Testing;
using Silo.Logs;
using Xunit;

namespace Unit.Logs;

/// <summary>What a body that comes slowly takes, and when it is given up.</summary>
public sealed class RequestBodyTests
{
    private const int MaxBytes = 64 * 1024 * 1024;

    private readonly FakeTimeProvider _clock = new();
    private readonly Admission _admission;

    /// <summary>Whoever reads goes on before a write returns.</summary>
    private readonly Pipe _wire = new(
        new PipeOptions(
            pauseWriterThreshold: 0,
            readerScheduler: PipeScheduler.Inline,
            writerScheduler: PipeScheduler.Inline,
            useSynchronizationContext: false
        )
    );

    public RequestBodyTests() => _admission = new(MaxBytes, share: 1, _clock);

    [Theory]
    [InlineData(64L * 1024 * 1024, false)]
    [InlineData(null, false)]
    [InlineData(64L * 1024 * 1024, true)]
    public async Task WhatIsDeclaredTakesNoRoomAndWhatCameTakesAFewTimesItsSize(long? length, bool isGzip)
    {
        using var paced = new PacedStream(_wire.Reader.AsStream(), _clock);
        using var ticket = _admission.Admit(RequestBody.FirstAdmission(length), paced.GiveUp)!;
        var reading = RequestBody.Read(paced, length, isGzip, ticket, MaxBytes, paced.TooSlow);

        Assert.Equal(4 * 1024, _admission.Held);
        await Write(isGzip ? Gzip(5_000) : new byte[5_000]);
        Assert.False(reading.IsCompleted);
        Assert.InRange(_admission.Held, 4 * 1024, 16 * 1024);

        _clock.Advance(PacedStream.Window);
        using var body = await reading;
        Assert.Equal(BodyFault.Slow, body.Fault);
    }

    [Fact]
    public async Task ABodyThatComesAtTheLeastSpeedIsReadAndMayTakeHalfAMinute()
    {
        using var paced = new PacedStream(_wire.Reader.AsStream(), _clock);
        using var ticket = _admission.Admit(RequestBody.FirstAdmission(null), paced.GiveUp)!;
        paced.Ticket = ticket;
        var reading = RequestBody.Read(paced, null, isGzip: false, ticket, MaxBytes, paced.TooSlow);
        for (var second = 0; second < LogIngestEndpoint.BodyPatience.TotalSeconds - 4; second += 4)
        {
            await Write(new byte[PacedStream.LeastBytes]);
            Assert.False(reading.IsCompleted);
            _clock.Advance(TimeSpan.FromSeconds(4));
        }

        Assert.False(reading.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(4));
        using var body = await reading;
        Assert.Equal(BodyFault.Slow, body.Fault);
    }

    [Fact]
    public async Task ABodyThatIsWholeIsWholeHoweverItCame()
    {
        var bytes = new byte[100_000];
        new Random(4).NextBytes(bytes);
        using var paced = new PacedStream(_wire.Reader.AsStream(), _clock);
        using var ticket = _admission.Admit(RequestBody.FirstAdmission(bytes.Length), paced.GiveUp)!;
        var reading = RequestBody.Read(paced, bytes.Length, isGzip: false, ticket, MaxBytes, paced.TooSlow);
        for (var at = 0; at < bytes.Length; at += 777)
        {
            await Write(bytes[at..Math.Min(bytes.Length, at + 777)]);
        }

        await _wire.Writer.CompleteAsync();
        using var body = await reading;
        Assert.Equal((BodyFault.None, bytes.Length), (body.Fault, _admission.Held));
        Assert.Equal(bytes, body.Bytes.ToArray());
    }

    private async Task Write(byte[] bytes) => await _wire.Writer.WriteAsync(bytes, TestContext.Current.CancellationToken);

    /// <summary>The beginning of a stream whose end does not come.</summary>
    private static byte[] Gzip(int bytes)
    {
        var random = new byte[bytes];
        new Random(4).NextBytes(random);
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(random);
            gzip.Flush();
            return compressed.ToArray();
        }
    }
}
