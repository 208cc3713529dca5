using System.Net;
using System.Net.Sockets;

namespace Client.Demo;

/// <summary>
/// Ports of 127.0.0.1 for servers that start in a moment, and again after they were killed. A port is given once on this machine as long as
/// the process lives that asked for it: ports come in
/// blocks, and a process owns a block as long as it listens on the block's first port, which it gives to nobody. The system takes that back
/// when the process ends, also after <c>kill -9</c>.
/// </summary>
/// <remarks>
/// They lie below those from which a system takes the near end of a connection that somebody opens (from 32,768 on Linux, from 49,152
/// elsewhere: RFC 6335, section 6): such a port may be anybody's.
/// </remarks>
/// <param name="first">The lowest port, a multiple of <see cref="BlockSize"/>.</param>
/// <param name="blocks">How many blocks there are.</param>
internal sealed class FreePorts(int first, int blocks)
{
    /// <summary>Ports of a block, its first one included.</summary>
    public const int BlockSize = 100;

    private readonly Lock _gate = new();
    private readonly List<Socket> _owned = [];

    // Two processes begin at different places.
    private int _block = blocks == 0 ? 0 : Random.Shared.Next(blocks);
    private int _next;
    private int _end;

    /// <summary>From 20,000 to 31,999, for everybody.</summary>
    public static FreePorts Shared { get; } = new(first: 20_000, blocks: 120);

    /// <summary>So many different ports that nobody listens at now.</summary>
    /// <exception cref="InvalidOperationException">All blocks have an owner.</exception>
    public int[] Take(int ports)
    {
        lock (_gate)
        {
            var taken = new List<int>(ports);
            while (taken.Count < ports)
            {
                if (_next == _end)
                {
                    _next = Own(1) + 1;
                    _end = _next + BlockSize - 1;
                }

                var port = _next++;
                if (IsFree(port))
                {
                    taken.Add(port);
                }
            }

            return [.. taken];
        }
    }

    /// <summary>
    /// Ports that are free in <paramref name="instances"/> blocks, one behind the other: where p is given, p + <see cref="BlockSize"/> is
    /// too, and so on. What is left of them is given to nobody.
    /// </summary>
    /// <exception cref="InvalidOperationException">There are not so many blocks side by side without an owner, or ports in
    /// them.</exception>
    public int[] Take(int ports, int instances)
    {
        lock (_gate)
        {
            var block = Own(instances);
            var taken = Enumerable
                .Range(block + 1, BlockSize - 1)
                .Where(port => Enumerable.Range(0, instances).All(instance => IsFree(port + (instance * BlockSize))))
                .Take(ports)
                .ToArray();
            return taken.Length == ports ? taken : throw NoneLeft();
        }
    }

    /// <summary>The first port of so many blocks, one behind the other, that are now owned here.</summary>
    private int Own(int adjacent)
    {
        var owned = new Stack<Socket>();
        for (var looked = 0; looked < blocks && owned.Count < adjacent; looked++, _block = (_block + 1) % blocks)
        {
            if (_block + adjacent - owned.Count > blocks || Listen(first + (_block * BlockSize)) is not { } socket)
            {
                // The run is broken off: what was owned of it is somebody else's again.
                while (owned.TryPop(out var let))
                {
                    let.Dispose();
                }
            }
            else
            {
                owned.Push(socket);
            }
        }

        if (owned.Count < adjacent)
        {
            foreach (var let in owned)
            {
                let.Dispose();
            }

            throw NoneLeft();
        }

        _owned.AddRange(owned);
        return ((IPEndPoint)owned.Last().LocalEndPoint!).Port;
    }

    private InvalidOperationException NoneLeft() =>
        new($"All ports from {first} to {first + (blocks * BlockSize) - 1} are in use or kept by running programs; end one of them.");

    private static bool IsFree(int port)
    {
        using var socket = Listen(port);
        return socket is not null;
    }

    /// <summary>Null: somebody listens there, or the system keeps it for itself.</summary>
    private static Socket? Listen(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen(1);
            return socket;
        }
        catch (SocketException failure) when (failure.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            socket.Dispose();
            return null;
        }
    }
}
