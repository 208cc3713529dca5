using System.Collections.Immutable;
using System.Net;

namespace Grains.Client;

/// <summary>No silo of the cluster was reached; the message says where it was looked for.</summary>
public sealed class NoSiloException : Exception
{
    public NoSiloException()
        : this("No silo was reached.") { }

    public NoSiloException(string message)
        : base(message) { }

    public NoSiloException(string message, Exception cause)
        : base(message, cause) { }

    /// <summary>
    /// Gateways that accept connections all the same: a silo that is busy or starting, one of another cluster, or no silo at all.
    /// </summary>
    public ImmutableArray<IPEndPoint> Listening { get; init; } = [];
}

/// <summary>The cluster was reached and refused what was asked; the message says why, in sentences.</summary>
public sealed class ClusterRefusedException : Exception
{
    public ClusterRefusedException()
        : this("The cluster refused what was asked.") { }

    public ClusterRefusedException(string message)
        : base(message) { }

    public ClusterRefusedException(string message, Exception cause)
        : base(message, cause) { }
}
