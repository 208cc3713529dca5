using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Silo.Middleware.Grains;

/// <summary>Calls of grains as numbers: meter <c>Grains</c>. While nobody listens it costs a look at a flag.</summary>
public sealed class CallMetrics : IIncomingGrainCallFilter
{
    public const string Meter = "Grains";

    private readonly Histogram<double> _calls;
    private readonly TimeProvider _clock;

    public CallMetrics(IMeterFactory meters, TimeProvider clock)
    {
        _clock = clock;
        _calls = meters
            .Create(Meter)
            .CreateHistogram<double>(
                "grains.call.duration",
                "s",
                "Calls that grains answered and how long a grain worked on each, by interface, method and whether it failed."
            );
    }

    public Task Invoke(IIncomingGrainCallContext context) => _calls.Enabled ? Measured(context) : context.Invoke();

    private async Task Measured(IIncomingGrainCallContext context)
    {
        var since = _clock.GetTimestamp();
        var failed = true;
        try
        {
            await context.Invoke();
            failed = false;
        }
        finally
        {
            _calls.Record(
                _clock.GetElapsedTime(since).TotalSeconds,
                new TagList
                {
                    { "interface", context.InterfaceName },
                    { "method", context.MethodName },
                    { "failed", failed },
                }
            );
        }
    }
}
