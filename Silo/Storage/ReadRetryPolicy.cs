using Azure.Core;
using Azure.Core.Pipeline;

namespace Silo.Storage;

/// <summary>
/// The retries of the Azure SDK for reads alone. A write that is sent again after its answer was lost meets what its first attempt wrote,
/// and is reported as a conflict although it is stored; not sent again it fails, and whoever reads next finds what is stored.
/// </summary>
internal sealed class ReadRetryPolicy() : RetryPolicy(Retries, DelayStrategy.CreateExponentialDelayStrategy(FirstPause, LongestPause))
{
    private const int Retries = 3;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    protected override bool ShouldRetry(HttpMessage message, Exception? exception) =>
        IsRead(message) && base.ShouldRetry(message, exception);

    protected override ValueTask<bool> ShouldRetryAsync(HttpMessage message, Exception? exception) =>
        IsRead(message) ? base.ShouldRetryAsync(message, exception) : new(false);

    private static bool IsRead(HttpMessage message) => message.Request.Method == RequestMethod.Get;
}
