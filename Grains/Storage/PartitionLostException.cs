namespace Grains.Storage;

/// <summary>A partition's owner could not commit and must end: another owner was faster, or the store gave no certain answer.</summary>
public sealed class PartitionLostException : Exception
{
    public PartitionLostException(string table, string partition, CommitResult result)
        : base(
            result.Outcome == CommitOutcome.Conflict
                ? $"Row \"{result.ConflictKey}\" of {table}/{partition} was changed by another owner of the partition."
                : $"The store did not say what became of a commit to {table}/{partition}: {result.Cause?.Message}",
            result.Cause
        ) { }

    public PartitionLostException(string table, string partition, Exception cause)
        : base($"A commit to {table}/{partition} failed: {cause.Message}", cause) { }
}
