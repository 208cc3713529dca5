using System.Collections.Concurrent;
using Grains.Interfaces.Logs;
using Grains.Logs.Intake;
using Grains.Logs.Records;

namespace Doubles.Logs;

/// <summary>The way in, as the doors see it: keeps what it is handed, or answers as it is told.</summary>
public sealed class LogIntakeInMemory(long maxBytes = 64 * 1024 * 1024) : ILogIntake
{
    private readonly Admission _admission = new(maxBytes, share: 1);
    private readonly ConcurrentQueue<IntakeReply> _next = [];
    private readonly ConcurrentQueue<Accepted> _accepted = [];
    private readonly SemaphoreSlim _came = new(0);
    private readonly SemaphoreSlim _refused = new(0);

    public Admission Admission => _admission;

    /// <summary>What was stored, in its order.</summary>
    public IReadOnlyCollection<Accepted> Stored => _accepted;

    public IEnumerable<LogLine> Lines => _accepted.SelectMany(one => one.Lines);

    /// <summary>Requests that were handed in and not stored.</summary>
    public int Refused { get; private set; }

    /// <summary>The next requests are answered so, one each.</summary>
    public void AnswerNext(params IntakeReply[] replies) => Array.ForEach(replies, _next.Enqueue);

    public Admission.Ticket? Admit(long bytes, Action? evict = null) => _admission.Admit(bytes, evict);

    public Task<IntakeReply> Accept(
        Admission.Ticket ticket,
        LogBlock block,
        Decoded decoded,
        LogRequestId id,
        DateTimeOffset deadline,
        CancellationToken cancel
    )
    {
        if (_next.TryDequeue(out var reply) && reply != IntakeReply.Stored)
        {
            Refused++;
            _refused.Release();
            return Task.FromResult(reply);
        }

        _accepted.Enqueue(new(LogLine.Of(block), decoded, id, deadline));
        LogBlockBuilder.Return(block);
        _came.Release();
        return Task.FromResult(IntakeReply.Stored);
    }

    /// <summary>Requests whose answers were not delivered.</summary>
    public ConcurrentQueue<LogRequestId> LostAnswers { get; } = [];

    public void AnswerLost(LogRequestId id) => LostAnswers.Enqueue(id);

    /// <summary>Waits for the next request that is stored.</summary>
    public Task Next(CancellationToken cancel) => _came.WaitAsync(cancel);

    /// <summary>Waits for the next request that is not stored.</summary>
    public Task NextRefused(CancellationToken cancel) => _refused.WaitAsync(cancel);

    public sealed record Accepted(IReadOnlyList<LogLine> Lines, Decoded Decoded, LogRequestId Id, DateTimeOffset Deadline);
}
