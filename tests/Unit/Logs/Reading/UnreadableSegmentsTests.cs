using System.Buffers.Binary;
using Doubles.Storage;
using Grains.Interfaces.Logs;
using Grains.Logs.Reading;
using Grains.Storage;
using Microsoft.Extensions.Time.Testing;
using ParquetSharp;
using Silo.Storage;
using Unit.Storage;
using Xunit;

namespace Unit.Logs.Reading;

/// <summary>
/// A segment that cannot be read hides no other: what can be read is answered, and what cannot is counted and named, without a path.
/// </summary>
public sealed class UnreadableSegmentsTests : IDisposable
{
    private const ulong Second = 1_000_000_000;

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>What can happen to a segment's file.</summary>
    public static TheoryData<string> Damages =>
        ["missing", "empty", "truncated", "longer", "garbage", "holes", "other schema", "no footer", "a folder"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task ASearchFindsWhatTheOthersHold(string damage)
    {
        using var questions = await Damaged(damage);

        var (records, end) = await questions.Find("");

        Assert.Equal(["first", "third"], records.Select(record => record.Body).Order());
        IsNamed(questions, end);
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task ACountCountsWhatTheOthersHold(string damage)
    {
        using var questions = await Damaged(damage);

        var reply = await questions.Stats.Count(
            new("", LogForm.Moment(TestRecord.Noon), LogForm.Moment(TestRecord.Noon + (10 * Second)), 1),
            Cancel
        );

        Assert.Equal(2, reply.Cells.Sum(cell => cell.Records));
        IsNamed(questions, reply.End);
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task AStatementReadsWhatTheOthersHold(string damage)
    {
        using var questions = await Damaged(damage);

        var reply = await questions.Sql("select body from logs order by body");

        Assert.Equal(["""["first"]""", """["third"]"""], reply.Rows);
        IsNamed(questions, reply.End);
    }

    [Fact]
    public async Task WithEverySegmentUnreadableAnAnswerIsEmptyAndSaysSo()
    {
        using var blobs = DirectoryBlobStore.Open(_folder["blobs"]);
        using var questions = await Stored(blobs);
        foreach (var segment in questions.Shelf.All)
        {
            File.Delete(PathOf(blobs, segment.Name));
        }

        var (records, end) = await questions.Find("");
        Assert.Empty(records);
        Assert.Equal((QueryOutcome.Partial, 3), (end.Outcome, end.Unreadable));
        var reply = await questions.Sql("select count(*) from logs");
        Assert.Equal(("[0]", QueryOutcome.Partial, 3), (Assert.Single(reply.Rows), reply.End.Outcome, reply.End.Unreadable));
    }

    [Fact]
    public async Task AShardThatDoesNotAnswerIsNamedAndTheOthersAreRead()
    {
        using var blobs = DirectoryBlobStore.Open(_folder["blobs"]);
        using var questions = await Stored(blobs);
        questions.Shelf.Shards = [SegmentFault.Shard(3)];

        var (records, end) = await questions.Find("");
        Assert.Equal((3, QueryOutcome.Partial, 1), (records.Length, end.Outcome, end.Unreadable));
        Assert.Equal(["shard 3"], end.UnreadableSegments);
        Assert.Equal("Part of the log cannot be read, and what is in it is missing: shard 3 does not answer.", end.Sentence);
        Assert.Equal(QueryOutcome.Partial, (await questions.Sql("select count(*) from logs")).End.Outcome);

        questions.Shelf.Shards = [];
        Assert.Equal(QueryOutcome.Whole, (await questions.Find("")).End.Outcome);
    }

    [Fact]
    public async Task ASegmentThatCouldHoldNoAnswerIsNotMentioned()
    {
        using var blobs = DirectoryBlobStore.Open(_folder["blobs"]);
        using var questions = await Stored(blobs);
        File.Delete(PathOf(blobs, questions.Shelf.All[1].Name));

        var (_, end) = await questions.Find("", until: LogForm.Moment(TestRecord.Noon + Second));

        Assert.Equal((QueryOutcome.Whole, 0), (end.Outcome, end.Unreadable));
    }

    [Fact]
    public async Task ASegmentThatIsPutRightIsReadAgainAndLeavesTheList()
    {
        using var blobs = DirectoryBlobStore.Open(_folder["blobs"]);
        using var questions = await Stored(blobs, clock: new FakeTimeProvider());
        var path = PathOf(blobs, questions.Shelf.All[1].Name);
        File.Move(path, path + ".away");
        Assert.Equal(1, (await questions.Find("")).End.Unreadable);

        File.Move(path + ".away", path);
        questions.Clock.Advance(UnreadableSegments.TrustedFor);
        var (records, end) = await questions.Find("");

        Assert.Equal((3, QueryOutcome.Whole, 0), (records.Length, end.Outcome, questions.Unreadable.Count));
    }

    [Fact]
    public async Task ASegmentThatIsNoLongerPartOfTheLogLeavesTheList()
    {
        using var blobs = DirectoryBlobStore.Open(_folder["blobs"]);
        using var questions = await Stored(blobs);
        File.Delete(PathOf(blobs, questions.Shelf.All[1].Name));
        Assert.Equal(1, (await questions.Find("")).End.Unreadable);

        questions.Shelf.Drop(questions.Shelf.All[1].Name);
        Assert.Equal(QueryOutcome.Whole, (await questions.Find("")).End.Outcome);
        Assert.Empty(questions.Unreadable.All);
    }

    [Fact]
    public async Task ADamagedCopyIsCopiedAnewAndMissesNothing()
    {
        var blobs = new BlobStoreInMemory();
        using var questions = await Stored(blobs);
        Assert.Equal(3, (await questions.Find("")).Records.Length);
        foreach (var copy in Directory.GetFiles(questions.CacheFolder))
        {
            await File.WriteAllBytesAsync(copy, new byte[new FileInfo(copy).Length], Cancel);
        }

        var (records, end) = await questions.Find("");

        Assert.Equal((3, QueryOutcome.Whole), (records.Length, end.Outcome));
    }

    [Fact]
    public async Task ACopyThatSomebodyDeletedIsCopiedAnew()
    {
        var blobs = new BlobStoreInMemory();
        using var questions = await Stored(blobs);
        Assert.Equal(3, (await questions.Find("")).Records.Length);
        foreach (var copy in Directory.GetFiles(questions.CacheFolder))
        {
            File.Delete(copy);
        }

        Assert.Equal(QueryOutcome.Whole, (await questions.Find("")).End.Outcome);
        Assert.Equal("[3]", Assert.Single((await questions.Sql("select count(*) from logs")).Rows));
    }

    [Fact]
    public async Task ASegmentThatIsMissingElsewhereIsNamed()
    {
        var blobs = new BlobStoreInMemory();
        using var questions = await Stored(blobs);
        await ((IBlobStore)blobs).Delete(questions.Shelf.All[1].Name, Cancel);

        var (records, end) = await questions.Find("");

        Assert.Equal(["first", "third"], records.Select(record => record.Body).Order());
        IsNamed(questions, end);
    }

    [Fact]
    public async Task ASegmentThatIsDamagedElsewhereIsNamed()
    {
        var blobs = new BlobStoreInMemory();
        using var questions = await Stored(blobs);
        var segment = questions.Shelf.All[1];
        await ((IBlobStore)blobs).Delete(segment.Name, Cancel);
        await ((IBlobStore)blobs).Put(segment.Name, new byte[segment.Bytes], Cancel);

        var reply = await questions.Sql("select body from logs order by body");

        Assert.Equal(["""["first"]""", """["third"]"""], reply.Rows);
        IsNamed(questions, reply.End);
    }

    private void IsNamed(Questions questions, QueryEnd end)
    {
        var name = questions.Shelf.All[1].Name;
        Assert.Equal((QueryOutcome.Partial, 1, name), (end.Outcome, end.Unreadable, Assert.Single(end.UnreadableSegments)));
        Assert.Contains(name, end.Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain(_folder.Path, end.Sentence, StringComparison.Ordinal);
        Assert.Equal(name, Assert.Single(questions.Unreadable.All).Name);
    }

    /// <summary>Three segments of one record each, the second of them damaged.</summary>
    private async Task<Questions> Damaged(string damage)
    {
        var blobs = DirectoryBlobStore.Open(_folder["blobs"]);
        var questions = await Stored(blobs);
        questions.Owns(blobs);
        var path = PathOf(blobs, questions.Shelf.All[1].Name);
        var content = await File.ReadAllBytesAsync(path, Cancel);
        switch (damage)
        {
            case "missing":
                File.Delete(path);
                break;
            case "empty":
                await File.WriteAllBytesAsync(path, [], Cancel);
                break;
            case "truncated":
                await File.WriteAllBytesAsync(path, content[..(content.Length / 2)], Cancel);
                break;
            case "longer":
                await File.WriteAllBytesAsync(path, [.. content, 0, 0, 0, 0], Cancel);
                break;
            case "garbage":
                new Random(1).NextBytes(content);
                await File.WriteAllBytesAsync(path, content, Cancel);
                break;
            case "holes":
                var footer = BinaryPrimitives.ReadInt32LittleEndian(content.AsSpan(content.Length - 8));
                content.AsSpan(4, content.Length - 12 - footer).Clear();
                await File.WriteAllBytesAsync(path, content, Cancel);
                break;
            case "other schema":
                await File.WriteAllBytesAsync(path, OtherSchema(content.Length), Cancel);
                break;
            case "no footer":
                content.AsSpan(content.Length - 8).Clear();
                await File.WriteAllBytesAsync(path, content, Cancel);
                break;
            default:
                File.Delete(path);
                Directory.CreateDirectory(path);
                break;
        }

        return questions;
    }

    private async Task<Questions> Stored(IBlobStore blobs, FakeTimeProvider? clock = null)
    {
        var questions = new Questions(blobs: blobs, clock: clock);
        await questions.Shelf.Add(TestRecord.Block(new TestRecord(TestRecord.Noon, Body: "first")));
        await questions.Shelf.Add(TestRecord.Block(new TestRecord(TestRecord.Noon + (2 * Second), Body: "second")));
        await questions.Shelf.Add(TestRecord.Block(new TestRecord(TestRecord.Noon + (3 * Second), Body: "third")));
        return questions;
    }

    private static string PathOf(DirectoryBlobStore blobs, string name) =>
        blobs.TryGetPath(name, out var path) ? path : throw new InvalidOperationException($"There is no {name}.");

    /// <summary>A Parquet file of exactly so many bytes, with one column of its own.</summary>
    private byte[] OtherSchema(int bytes)
    {
        using var properties = new WriterPropertiesBuilder()
            .DisableStatistics()
            .DisableDictionary()
            .Compression(Compression.Uncompressed)
            .Build();
        for (int length = 1, file = 0; ; file++)
        {
            var path = _folder[$"other-{file}"];
            using (var writer = new ParquetFileWriter(path, [new Column<string>("mine")], properties))
            {
                using var group = writer.AppendRowGroup();
                using var column = group.NextColumn().LogicalWriter<string>();
                column.WriteBatch([new string('x', length)]);
            }

            var content = File.ReadAllBytes(path);
            if (content.Length == bytes)
            {
                return content;
            }

            length += bytes - content.Length;
            Assert.True(length > 0 && file < 10, "There is no such file of so many bytes.");
        }
    }
}
