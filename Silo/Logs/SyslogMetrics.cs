using System.Diagnostics.Metrics;
using Grains.Logs;

namespace Silo.Logs;

/// <summary>What comes by syslog, as numbers, beside the pipeline's own (meter <c>Logs</c>).</summary>
internal sealed class SyslogMetrics
{
    private readonly Counter<long> _stored;
    private readonly Counter<long> _dropped;

    public SyslogMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(LogsMetrics.Meter);
        _stored = meter.CreateCounter<long>("logs.syslog.stored", "{message}", "Messages of syslog that were stored, by protocol.");
        _dropped = meter.CreateCounter<long>("logs.syslog.dropped", "{message}", "Messages of syslog that were too large, or for which there was no room (UDP) or no time any more (TCP, at the end): nobody can be told.");
    }

    public void OnStored(long messages, string protocol) => _stored.Add(messages, new KeyValuePair<string, object?>("protocol", protocol));

    public void OnDropped(long messages, string protocol) => _dropped.Add(messages, new KeyValuePair<string, object?>("protocol", protocol));
}
