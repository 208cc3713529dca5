using Silo.Middleware;

namespace Silo.Page.Sessions;

/// <summary>
/// Failures as people are told of them: what may be over in a moment in its own sentence, the rest without its insides, which the log has.
/// </summary>
public sealed partial class Sentences(Availability availability, ILogger<Sentences> logger)
{
    public string Of(Exception failure)
    {
        if (availability.Explain(failure) is { } sentence)
        {
            return sentence;
        }

        LogFailed(failure);
        return "It failed here, and not by what you did. The log of the silo has more.";
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A view or an action of the page failed")]
    private partial void LogFailed(Exception exception);
}
