namespace Silo.Storage;

/// <summary>
/// A write was made or was not, and the store cannot say which. Whoever gets this reads again before it goes on; a grain ends its
/// activation.
/// </summary>
public sealed class OutcomeUnknownException : Exception
{
    public OutcomeUnknownException()
        : this("The store cannot say whether a write was made.") { }

    public OutcomeUnknownException(string message)
        : base(message) { }

    public OutcomeUnknownException(string message, Exception? innerException)
        : base(message, innerException) { }
}
