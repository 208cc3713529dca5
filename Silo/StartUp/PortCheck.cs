using System.Net.Sockets;
using Silo.Cluster;

namespace Silo.StartUp;

/// <summary>Every port of the silo is free.</summary>
public sealed class PortCheck(Doors doors) : IStartUpCheck
{
    public Task Run(CancellationToken cancel)
    {
        foreach (var door in doors.All)
        {
            if (Problem(door) is { } problem)
            {
                throw new StartUpException(problem);
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>Why the port cannot be opened now, and what to do; null when it can.</summary>
    public string? Problem(Door door)
    {
        try
        {
            using var socket = new Socket(door.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(door.EndPoint);
            socket.Listen(1);
            return null;
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return $"Port {door.EndPoint.Port} for {door.What} ({door.Setting}) is in use on {door.EndPoint.Address}, perhaps by another silo. "
                + $"Start this one with --instance {doors.Instance + 1}, which shifts every port by {InstanceOptions.PortStep} more, or give another port with --{door.Setting}.";
        }
        catch (SocketException failure)
        {
            return $"Port {door.EndPoint.Port} for {door.What} ({door.Setting}) cannot be opened on {door.EndPoint.Address}: {failure.Message}. Give another port with --{door.Setting}.";
        }
    }
}
