using System.Collections.Immutable;
using Grains.Interfaces.Values;

namespace Grains.Interfaces.Crawling;

/// <summary>One host of a crawl as programs read it; <c>delay</c> is as it is kept now, <c>askedDelay</c> as it was asked for.</summary>
public sealed record HostForm(
    string Host,
    string State,
    string? Why,
    string AskedDelay,
    string Delay,
    DateTimeOffset? NextAt,
    int InFlight,
    long Pages,
    long Queued,
    long Failed,
    long Bytes,
    ImmutableSortedDictionary<string, long> Reasons
)
{
    public static HostForm Of(HostState host) =>
        new(
            host.Host.Value,
            host.State,
            host.Why,
            Durations.Format(host.AskedDelay),
            Durations.Format(host.Delay),
            host.NextAt,
            host.InFlight,
            host.Pages,
            host.Queued,
            host.Failed,
            host.Bytes,
            host.Reasons
        );
}
