namespace Silo.Storage;

/// <summary>
/// The stored data cannot be used as it is; somebody has to change something before the silo can start.
/// The message is one sentence or two that name what is wrong and what would be right, made to be printed without a stack trace.
/// </summary>
public class StorageRefusedException : Exception
{
    public StorageRefusedException()
        : this("The stored data cannot be used.") { }

    public StorageRefusedException(string message)
        : base(message) { }

    public StorageRefusedException(string message, Exception innerException)
        : base(message, innerException) { }
}
