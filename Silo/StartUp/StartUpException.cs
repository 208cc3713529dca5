namespace Silo.StartUp;

/// <summary>Why the silo does not start, in sentences for the person who started it. It is printed without a stack trace.</summary>
public sealed class StartUpException : Exception
{
    public StartUpException()
        : this("The silo cannot start.") { }

    public StartUpException(string message)
        : base(message) { }

    public StartUpException(string message, Exception cause)
        : base(message, cause) { }

    /// <summary>One of <see cref="ExitCodes"/>.</summary>
    public int ExitCode { get; init; } = ExitCodes.Failed;
}
