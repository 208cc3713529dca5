using Grains.Interfaces.Logs;
using Grains.Logs.Queries;
using Grains.Logs.Records;
using Grains.Logs.Rules;

namespace Grains.Logs.Reading;

/// <summary>What is stored, for trying rules on: a search for the newest records, whose answer is turned around.</summary>
public sealed class LogSamples(LogSearch search) : ILogSample
{
    public async Task<LogSample> Newest(LogQuery query, DateTimeOffset since, int most, CancellationToken cancel)
    {
        var pages = new List<LogBlock>();
        QueryEnd? end = null;
        await foreach (var found in search.Find(new(query.Text, since, Until: null, most, OldestFirst: false), cancel))
        {
            pages.Add(found.Records);
            end = found.End ?? end;
        }

        using var builder = new LogBlockBuilder();
        for (var page = pages.Count - 1; page >= 0; page--)
        {
            for (var record = pages[page].Count - 1; record >= 0; record--)
            {
                builder.Add(pages[page][record]);
            }
        }

        return new(builder.Build(), builder.Count, end?.RecordsRead ?? builder.Count, end is { Outcome: QueryOutcome.Whole });
    }
}
