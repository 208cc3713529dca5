using System.Diagnostics.Metrics;
using Grains.Logs;

namespace Silo.Logs;

/// <summary>What comes by syslog, as numbers, beside the pipeline's own (meter <c>Logs</c>).</summary>
internal sealed class SyslogMetrics
{
    private readonly Counter<long> _stored;
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _cut;
    private readonly Counter<long> _passedOver;
    private readonly Counter<long> _closed;

    public SyslogMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(LogsMetrics.Meter);
        _stored = meter.CreateCounter<long>("logs.syslog.stored", "{message}", "Messages of syslog that were stored, by protocol.");
        _dropped = meter.CreateCounter<long>(
            "logs.syslog.dropped",
            "{message}",
            "Messages of syslog for which there was no room (UDP) or no time any more (TCP, at the end): nobody can be told."
        );
        _cut = meter.CreateCounter<long>(
            "logs.syslog.cut",
            "{message}",
            "Messages of syslog that were too large and were cut, by protocol. Their records say log.truncated."
        );
        _passedOver = meter.CreateCounter<long>(
            "logs.syslog.passed_over",
            "By",
            "Bytes of syslog messages that were too large and were passed over behind the cut, by protocol."
        );
        _closed = meter.CreateCounter<long>(
            "logs.syslog.closed",
            "{connection}",
            "Connections of syslog that were closed because there were too many, by reason: idle, or refused."
        );
    }

    public void OnStored(long messages, string protocol) => _stored.Add(messages, Of(protocol));

    public void OnDropped(long messages, string protocol) => _dropped.Add(messages, Of(protocol));

    public void OnCut(long messages, long bytesPassedOver, string protocol)
    {
        _cut.Add(messages, Of(protocol));
        _passedOver.Add(bytesPassedOver, Of(protocol));
    }

    /// <param name="reason"><c>idle</c>: it made room for another. <c>refused</c>: there was no room for it.</param>
    public void OnClosed(string reason) => _closed.Add(1, new KeyValuePair<string, object?>("reason", reason));

    private static KeyValuePair<string, object?> Of(string protocol) => new("protocol", protocol);
}
