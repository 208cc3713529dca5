using Grains.Logs.Reading;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Silo.Logs;

/// <summary>
/// Degraded while this silo knows of segments that cannot be read: what is in them is missing from answers, and all else is answered.
/// </summary>
internal sealed class SegmentsReadable(UnreadableSegments unreadable) : IHealthCheck
{
    /// <summary>Segments that are named.</summary>
    private const int Named = 10;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var segments = unreadable.All;
        var named = string.Join("; ", segments.Take(Named).Select(segment => $"{segment.Name} {segment.Reason}"));
        return Task.FromResult(
            segments.IsEmpty
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Degraded(
                    $"{segments.Length} of the log's segments cannot be read: {named}{(segments.Length > Named ? "; and more" : "")}"
                )
        );
    }
}
