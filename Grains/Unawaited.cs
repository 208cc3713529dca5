using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Grains;

/// <summary>Begins work that nobody awaits: see <see cref="Unawaited"/>.</summary>
/// <param name="what">Names the work in the log.</param>
public delegate void BeginUnawaited(Task work, [CallerArgumentExpression(nameof(work))] string what = "");

/// <summary>
/// The one way to begin work that nobody awaits. A failure is never lost and never ends the process: it is logged, and work of a grain ends
/// its
/// activation too, so that the next one starts from what is stored.
/// </summary>
/// <remarks>A test reads the compiled code: no method is <c>async void</c>, and no call's task is dropped anywhere else.</remarks>
public static partial class Unawaited
{
    /// <summary>Observes work of a process, outside of any activation.</summary>
    /// <param name="failed">Hears of the failure, on any thread. It must not throw.</param>
    public static void Observe(Task work, Action<Exception> failed)
    {
        if (!work.IsCompletedSuccessfully)
        {
            _ = Wait(work, failed);
        }
    }

    /// <summary>Observes work of a service: a failure is logged as an error.</summary>
    /// <param name="what">Names the work in the log.</param>
    public static void Observe(this ILogger logger, Task work, [CallerArgumentExpression(nameof(work))] string what = "") =>
        Observe(work, failure => LogFailed(logger, what, failure));

    /// <summary>Observes work of a grain: a failure is logged as an error, and ends the activation.</summary>
    /// <param name="stopping">
    /// Cancelled when the activation ends. A failure after that is expected, for the runtime may be gone already: it is logged at debug
    /// level only.
    /// </param>
    /// <param name="what">Names the work in the log.</param>
    public static void Observe(
        this Grain grain,
        Task work,
        ILogger logger,
        CancellationToken stopping = default,
        [CallerArgumentExpression(nameof(work))] string what = ""
    )
    {
        if (work.IsCompletedSuccessfully)
        {
            return;
        }

        // Not through the grain: its own members must not be used once the activation is over.
        var activation = grain.GrainContext;
        Observe(work, failure =>
        {
            if (stopping.IsCancellationRequested || activation.Deactivated.IsCompleted)
            {
                LogFailedAtEnd(logger, activation.GrainId, what, failure);
                return;
            }

            LogActivationFailed(logger, activation.GrainId, what, failure);
            activation.Deactivate(
                new(DeactivationReasonCode.ApplicationError, failure, $"Work that nobody awaits failed: {what}"),
                CancellationToken.None
            );
        });
    }

    /// <summary>Needs no scheduler of a grain, which may be gone when the work ends.</summary>
    private static async Task Wait(Task work, Action<Exception> failed)
    {
        try
        {
            await work.ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            failed(failure);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Work that nobody awaits failed: {What}")]
    private static partial void LogFailed(ILogger logger, string what, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Grain}: work that nobody awaits failed, and another activation takes over: {What}")]
    private static partial void LogActivationFailed(ILogger logger, GrainId grain, string what, Exception exception);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Grain}: work failed while its activation ended: {What}")]
    private static partial void LogFailedAtEnd(ILogger logger, GrainId grain, string what, Exception exception);
}
