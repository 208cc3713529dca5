using System.Runtime.CompilerServices;
using Grains.Interfaces.Logs;
using Grains.Logs.Reading;
using Grains.Logs.Sql;
using Microsoft.Extensions.Options;
using Orleans.Placement;

namespace Grains.Logs;

/// <summary>
/// One question, answered where it was asked (<see cref="LogSearch"/>, <see cref="LogStatements"/>, <see cref="LogStats"/>); gone when it
/// is over.
/// </summary>
/// <remarks>
/// A grain of its own and no stateless worker: the pages of a search are asked for one by one, and all of these calls must meet the same
/// activation.
/// </remarks>
[PreferLocalPlacement]
[GrainType("logquery")]
public sealed class LogQueryGrain(LogSearch search, LogStatements statements, LogStats stats, IOptions<LogsOptions> options)
    : Grain,
        ILogQueryGrain
{
    public async IAsyncEnumerable<FoundLogs> Search(SearchLogs ask, [EnumeratorCancellation] CancellationToken cancel)
    {
        try
        {
            await foreach (var page in search.Find(ask, cancel))
            {
                yield return page;
            }
        }
        finally
        {
            DeactivateOnIdle();
        }
    }

    public async Task<SqlReply> Sql(AskSql ask, CancellationToken cancel)
    {
        DeactivateOnIdle();
        return await statements.Ask(ask, cancel);
    }

    public async Task<StatsReply> Stats(AskStats ask, CancellationToken cancel)
    {
        DeactivateOnIdle();
        return await stats.Count(ask, cancel);
    }

    public Task<LogSettings> Settings(CancellationToken cancel)
    {
        DeactivateOnIdle();
        var logs = options.Value;
        return Task.FromResult(new LogSettings(logs.Shards, logs.BufferBytes, logs.Linger, logs.SegmentBytes, logs.SegmentRecords));
    }
}
