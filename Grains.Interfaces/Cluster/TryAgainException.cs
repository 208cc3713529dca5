namespace Grains.Interfaces.Cluster;

/// <summary>
/// The cluster could not do it at this moment, and it may be that it was done: whoever asked may ask again. What is behind it is in the log
/// of the silo.
/// The same for everybody outside the cluster, whatever store it has.
/// </summary>
[GenerateSerializer, Alias("cluster.TryAgainException")]
public sealed class TryAgainException : Exception
{
    public TryAgainException()
        : this("The cluster could not do it at this moment; ask again.") { }

    public TryAgainException(string message)
        : base(message) { }

    public TryAgainException(string message, Exception cause)
        : base(message, cause) { }
}
