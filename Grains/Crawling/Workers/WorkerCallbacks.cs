using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Workers;

/// <summary>What a worker's loop needs of the grain that runs it.</summary>
/// <param name="Observe">Begins what nobody awaits: a failure ends the activation.</param>
/// <param name="StayAwake">The activation is to last: an answer is awaited.</param>
/// <param name="ReportFailed">Told of a report that did not arrive.</param>
/// <param name="VisitFailed">Told of a visit that broke, by its URL.</param>
/// <param name="LeftEarly">Told how many hosts did not hear in time that the worker leaves.</param>
internal sealed record WorkerCallbacks(
    BeginUnawaited Observe,
    Action StayAwake,
    Action<HostKey, CrawlId, Exception> ReportFailed,
    Action<string, CrawlId, Exception> VisitFailed,
    Action<int> LeftEarly
);
