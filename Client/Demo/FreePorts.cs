using System.Net;
using System.Net.Sockets;

namespace Client.Demo;

/// <summary>
/// Ports of 127.0.0.1 for silos that start in a moment, and again after they were killed. They lie below those from which a system takes the near end of a
/// connection that somebody opens (from 32,768 on Linux, from 49,152 elsewhere: RFC 6335, section 6); a port of that range, once let go, may be anybody's.
/// None is given twice before all <paramref name="count"/> of them were. Who takes from another range is in nobody's way.
/// </summary>
/// <param name="first">The lowest port.</param>
/// <param name="count">How many ports there are.</param>
internal sealed class FreePorts(int first, int count)
{
    private readonly Lock _gate = new();

    // Two processes with the same range begin at different places.
    private int _next = Random.Shared.Next(count);

    /// <summary>So many different ports that nobody listens at now.</summary>
    /// <exception cref="InvalidOperationException">All of the range were tried.</exception>
    public int[] Take(int ports)
    {
        lock (_gate)
        {
            var taken = Enumerable.Range(0, count).Select(_ => first + (_next++ % count)).Where(IsFree).Take(ports).ToArray();
            return taken.Length == ports
                ? taken
                : throw new InvalidOperationException($"There are no {ports} free ports from {first} to {first + count - 1}; end something that listens there.");
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen(1);
            return true;
        }
        catch (SocketException failure) when (failure.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            return false; // In use, or kept by the system for itself.
        }
    }
}
