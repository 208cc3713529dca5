using CsCheck;
using Grains.Interfaces.Logs;
using Grains.Logs.Queries;
using Silo.Storage;
using Unit.Storage;
using Xunit;

namespace Unit.Logs.Reading;

public sealed class LogSearchTests
{
    [Fact]
    public async Task WhatIsFoundHasEveryFieldAsItWasStored()
    {
        using var questions = new Questions();
        var values = LogGen.Value.Array[60].Single(_ => true, "0000lQZ7yGe2");
        await questions.Shelf.Add(LogValue.Block(values));

        var (records, end) = await questions.Find("", limit: 1000);

        Assert.Equal(
            values.OrderBy(value => value.ToString(), StringComparer.Ordinal),
            records.OrderBy(value => value.ToString(), StringComparer.Ordinal)
        );
        Assert.Equal(new QueryEnd(QueryOutcome.Whole, null, 0, 1, 1, 60, end.Took), end);
    }

    [Fact]
    public async Task OverAnySegmentsAQueryFindsWhatThePredicateSaysInOrderAndNoMoreThanItsLimit() =>
        await Gen.Select(
                Gen.Select(Gen.ULong[1, 60].Array[1, 12], Gen.Byte[0, 24]).Array[1, 14],
                Gen.Int[0, 3]
                    .Select(index =>
                        new[] { "", "severity>=error", "service:shop", "time>=1970-01-01T00:00:00.000000020 NOT severity:info" }[index]
                    ),
                Gen.Int[1, 100],
                Gen.Bool
            )
            .SampleAsync(
                async (segments, query, limit, oldestFirst) =>
                {
                    using var questions = new Questions();
                    var all = new List<LogValue>();
                    foreach (var ((times, severity), number) in segments.Select((segment, number) => (segment, number)))
                    {
                        LogValue[] values =
                        [
                            .. times.Select(
                                (time, index) =>
                                    Plain(time, $"{number}/{index}") with
                                    {
                                        Severity = severity,
                                        Service = number % 2 == 0 ? "shop" : "cart",
                                    }
                            ),
                        ];
                        all.AddRange(values);
                        await questions.Shelf.Add(LogValue.Block(values));
                    }

                    var predicate = LogQuery.Parse(query).Predicate;
                    var matching = all.Where(value => predicate.Matches(LogValue.Block([value])[0])).ToArray();
                    var (records, end) = await questions.Find(query, limit, oldestFirst);

                    var times2 = matching.Select(value => value.Time);
                    Assert.Equal(
                        (oldestFirst ? times2.Order() : times2.OrderDescending()).Take(limit),
                        records.Select(record => record.Time)
                    );
                    Assert.Equal(records.Length, records.Distinct().Count());
                    Assert.Empty(records.Except(matching));
                    Assert.Equal(matching.Length >= limit ? QueryOutcome.Limit : QueryOutcome.Whole, end.Outcome);
                },
                iter: 40,
                threads: 1
            );

    [Fact]
    public async Task AQuestionForTheNewestReadsFewOfManySegments()
    {
        using var questions = new Questions();
        for (var segment = 0; segment < 40; segment++)
        {
            await questions.Shelf.Add(
                LogValue.Block(Enumerable.Range(0, 10).Select(record => Plain((ulong)((segment * 1000) + record + 1))))
            );
        }

        var (records, end) = await questions.Find("", limit: 5);

        Assert.Equal([39010UL, 39009, 39008, 39007, 39006], records.Select(record => record.Time));
        Assert.Equal((QueryOutcome.Limit, 4, 40, 40L), (end.Outcome, end.SegmentsRead, end.Segments, end.RecordsRead));
    }

    [Fact]
    public async Task OfRecordsOfOneTimeTheLastThatCameIsTheNewest()
    {
        using var questions = new Questions();
        await questions.Shelf.Add(LogValue.Block(Enumerable.Range(1, 100).Select(line => Plain(7, $"line {line}"))));

        Assert.Equal(["line 100", "line 99"], (await questions.Find("", limit: 2)).Records.Select(record => record.Body));
        Assert.Equal(["line 1", "line 2"], (await questions.Find("", limit: 2, oldestFirst: true)).Records.Select(record => record.Body));
    }

    [Fact]
    public async Task SegmentsThatCannotHoldTheTraceAreNotOpened()
    {
        using var questions = new Questions();
        for (var segment = 1; segment <= 20; segment++)
        {
            await questions.Shelf.Add(
                LogValue.Block(
                    Enumerable.Range(1, 50).Select(record => Plain((ulong)record) with { TraceId = $"{segment:x16}{record:x16}" })
                )
            );
        }

        var (records, end) = await questions.Find($"trace:{7:x16}{9:x16}");

        Assert.Equal($"{7:x16}{9:x16}", Assert.Single(records).TraceId);
        Assert.Equal((1, 20), (end.SegmentsRead, end.Segments));
    }

    [Fact]
    public async Task ASpanOfTimeIncludesItsBeginningAndNotItsEnd()
    {
        using var questions = new Questions();
        await questions.Shelf.Add(LogValue.Block([Plain(1000), Plain(1999), Plain(2000), Plain(2999), Plain(3000)]));

        var (records, _) = await questions.Find(
            "",
            since: DateTimeOffset.UnixEpoch.AddMicroseconds(2),
            until: DateTimeOffset.UnixEpoch.AddMicroseconds(3),
            oldestFirst: true
        );

        Assert.Equal([2000UL, 2999], records.Select(record => record.Time));
    }

    [Fact]
    public async Task WhenSegmentsAreMergedBetweenTwoStepsNothingIsLostAndNothingToldTwice()
    {
        using var folder = new TemporaryFolder();
        using var blobs = DirectoryBlobStore.Open(folder["blobs"]);
        using var questions = new Questions(blobs: blobs);
        for (var segment = 0; segment < 30; segment++)
        {
            await questions.Shelf.Add(
                LogValue.Block(Enumerable.Range(0, 10).Select(record => Plain((ulong)((segment * 5) + record + 1), $"{segment}/{record}")))
            );
        }

        var told = new List<LogValue>();
        QueryEnd? end = null;
        await foreach (
            var page in questions.Search.Find(new("", null, null, 1000, OldestFirst: false), TestContext.Current.CancellationToken)
        )
        {
            told.AddRange(LogValue.Of(page.Records));
            end = page.End ?? end;
            if (questions.Shelf.All.Count > 1)
            {
                await questions.Shelf.Merge();
            }
        }

        Assert.Equal(300, told.Count);
        Assert.Equal(300, told.Distinct().Count());
        Assert.Equal(told.Select(record => record.Time).OrderDescending(), told.Select(record => record.Time));
        Assert.Equal(QueryOutcome.Whole, end!.Outcome);
    }

    [Fact]
    public async Task AWrongQueryIsAnsweredWithACaretUnderTheSign()
    {
        using var questions = new Questions();

        var (records, end) = await questions.Find("service:shop (");

        Assert.Empty(records);
        Assert.Equal((QueryOutcome.Wrong, 15), (end.Outcome, end.Column));
        Assert.Contains("\n              ^ column 15", end.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhoeverComesWhenAllPlacesAreTakenIsToldSo()
    {
        using var questions = new Questions(options => options.Queries = 1);
        await questions.Shelf.Add(LogValue.Block([Plain(1)]));
        await using var first = questions
            .Search.Find(new("", null, null, 10, OldestFirst: false), TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await first.MoveNextAsync());

        Assert.Equal(QueryOutcome.Busy, (await questions.Find("")).End.Outcome);

        await first.DisposeAsync();
        Assert.Equal(QueryOutcome.Whole, (await questions.Find("")).End.Outcome);
    }

    [Fact]
    public async Task WhenTheTimeIsOverItSaysSo()
    {
        using var questions = new Questions(options => options.QueryTime = TimeSpan.Zero);
        await questions.Shelf.Add(LogValue.Block([Plain(1)]));

        var (records, end) = await questions.Find("");

        Assert.Empty(records);
        Assert.Equal((QueryOutcome.Time, 0, 1), (end.Outcome, end.SegmentsRead, end.Segments));
    }

    private static LogValue Plain(ulong time, string body = "") => new(time, time, 9, "INFO", "shop", "", "", body, "", "", "");
}
