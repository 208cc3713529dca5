namespace Silo.Storage;

/// <summary>The data was written by a newer version of this program, which this one cannot read. Nothing was changed.</summary>
public sealed class NewerDataException : StorageRefusedException
{
    public NewerDataException()
        : this("The stored data is of a newer version of this program.") { }

    public NewerDataException(string message)
        : base(message) { }

    public NewerDataException(string message, Exception innerException)
        : base(message, innerException) { }
}
