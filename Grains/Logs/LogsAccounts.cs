using System.Collections.Immutable;
using System.Globalization;
using Grains.Books;
using Grains.Interfaces.Books;
using Grains.Logs.Batching;
using Grains.Logs.Shards;
using Microsoft.Extensions.Options;

namespace Grains.Logs;

/// <summary>
/// The log's account: the sum over all shards. What is filtered, sampled or repeated was handled as asked, and stands beside what was
/// refused, under its own name.
/// </summary>
public sealed class LogsAccounts(LogShardSet log, IOptions<LogsOptions> options) : IAccountSource
{
    /// <summary>What a record takes in memory at least, for saying how many records a buffer may hold at most.</summary>
    private const int SmallestRecordBytes = 65;

    public async Task<ImmutableArray<Account>> Read(CancellationToken cancel)
    {
        var shards = await Task.WhenAll(log.All.Select(shard => shard.Show(cancel)));
        var total = shards.Select(shard => shard.Total).Aggregate(Tally.None, Tally.Sum);
        var waiting = shards.Sum(shard => shard.WaitingRecords);
        var refused = total.Refused;
        foreach (var (reason, count) in new[] { ("filtered", total.Filtered), ("sampled", total.Sampled), ("repeated", total.Repeated) })
        {
            refused = count > 0 ? refused.Plus(reason, count) : refused;
        }

        return
        [
            new(
                "logs",
                "records",
                total.Received + waiting,
                total.Stored,
                refused,
                waiting,
                options.Value.BufferBytes / SmallestRecordBytes,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"what is beyond {options.Value.BufferBytes / (1024 * 1024):N0} MiB in a silo is answered with 429 or 503 "
                        + $"and Retry-After 1"
                )
            ),
        ];
    }
}
