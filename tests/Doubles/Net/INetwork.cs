using System.Net;

namespace Doubles.Net;

/// <summary>
/// Where a double of a server listens: in memory (<see cref="MemoryNetwork"/>), or on real sockets (<see cref="LoopbackNetwork"/>).
/// </summary>
public interface INetwork
{
    /// <param name="endpoint">Port 0: one that is free.</param>
    IListener Listen(IPEndPoint endpoint);
}

/// <summary>Takes connections at one address and port. Disposed of, it refuses new ones; those that were taken go on.</summary>
public interface IListener : IDisposable
{
    /// <summary>With the port that was given.</summary>
    IPEndPoint EndPoint { get; }

    /// <summary>The next connection.</summary>
    /// <exception cref="ObjectDisposedException">The listener is disposed of.</exception>
    ValueTask<Connection> Accept(CancellationToken cancel);
}

/// <summary>One end of a connection. Disposed of, it closes: what was written still arrives, and then the end.</summary>
public sealed class Connection(Stream stream, Action reset, Action closeWrites) : IDisposable
{
    /// <summary>Written and read at once by at most one caller each.</summary>
    public Stream Stream => stream;

    /// <summary>Breaks off: what the other end has not read yet may be lost, and it is told that the connection was reset.</summary>
    public void Reset() => reset();

    /// <summary>Half closes: the other end reads to the end of what was written, and can still write.</summary>
    public void CloseWrites() => closeWrites();

    public void Dispose() => stream.Dispose();
}
