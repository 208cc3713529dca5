using Grains.Interfaces.Logs;
using Grains.Logs.Queries;

namespace Grains.Logs.Rules;

/// <summary>A look at what is stored, to try rules on.</summary>
public interface ILogSample
{
    /// <summary>
    /// The newest records that match and are not older than <paramref name="since"/>, the oldest of them first; at most
    /// <paramref name="most"/>.
    /// </summary>
    Task<LogSample> Newest(LogQuery query, DateTimeOffset since, int most, CancellationToken cancel);
}

/// <param name="Matching">How many match, as far as was looked; <paramref name="Records"/> holds at most as many as were asked for.</param>
/// <param name="Total">How many were looked at.</param>
/// <param name="IsWhole">All that there is was looked at.</param>
public sealed record LogSample(LogBlock Records, long Matching, long Total, bool IsWhole);
