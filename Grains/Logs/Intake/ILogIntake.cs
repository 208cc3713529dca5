using Grains.Interfaces.Logs;
using Grains.Logs.Records;

namespace Grains.Logs.Intake;

/// <summary>The way in for every door: OTLP, NDJSON, syslog, the silo's own logs.</summary>
public interface ILogIntake
{
    /// <summary>
    /// Before anything is read: room for this many bytes, or null: answer 429 (HTTP) or UNAVAILABLE (gRPC) with one second to wait.
    /// </summary>
    /// <param name="evict">As <see cref="Admission.Admit"/> has it, for a body that is still coming.</param>
    Admission.Ticket? Admit(long bytes, Action? evict = null);

    /// <summary>
    /// Filters, stores and answers when it is durable. <paramref name="block"/> is the intake's from here on; its memory is given back when
    /// nobody reads it any more.
    /// </summary>
    /// <param name="ticket">Is resized and named here; whoever got it disposes it afterwards.</param>
    /// <param name="decoded">What the request held; refused records are counted from it.</param>
    /// <param name="deadline">When the sender gives up.</param>
    /// <param name="cancel">The sender is gone: its answer is lost, whatever becomes of the request.</param>
    /// <exception cref="OperationCanceledException">The sender is gone.</exception>
    Task<IntakeReply> Accept(
        Admission.Ticket ticket,
        LogBlock block,
        Decoded decoded,
        LogRequestId id,
        DateTimeOffset deadline,
        CancellationToken cancel
    );

    /// <summary>
    /// A request was stored, and the answer that says so could not be delivered: if it has no name, the next one of equal bytes is its
    /// repeat.
    /// </summary>
    void AnswerLost(LogRequestId id);
}

public enum IntakeReply
{
    /// <summary>Every record that was taken is durable, now or from before.</summary>
    Stored,

    /// <summary>No room: 429, come again in a second.</summary>
    Full,

    /// <summary>Storage or the cluster does not answer: 503, come again in a second.</summary>
    Unavailable,
}
