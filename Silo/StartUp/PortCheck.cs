using System.Net.Sockets;
using Silo.Cluster;

namespace Silo.StartUp;

/// <summary>
/// Every port of the silo is free. A door whose port was not set, and is taken, stays closed instead, with a warning: a second program that
/// likes the
/// same port is no reason not to work. To a front, which is nothing but doors, it is one.
/// </summary>
public sealed partial class PortCheck(Doors doors, IConfiguration configuration, ILogger<PortCheck> logger) : IStartUpCheck
{
    public Task Run(CancellationToken cancel)
    {
        foreach (var door in doors.All.ToArray())
        {
            if (Problem(doors, door) is not { } problem)
            {
                continue;
            }

            if (configuration[door.Setting] is not null || doors.IsFront || !doors.Open.Contains(door))
            {
                throw new StartUpException(problem);
            }

            doors.Close(door);
            LogClosed(door.EndPoint.Port, door.What, door.EndPoint.Address.ToString(), door.Setting);
        }

        return Task.CompletedTask;
    }

    /// <summary>Why the port cannot be opened now, and what to do; null when it can.</summary>
    public static string? Problem(Doors doors, Door door)
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
            return $"Port {door.EndPoint.Port} for {door.What} ({door.Setting}) is in use on {door.EndPoint.Address}, perhaps "
                + $"by another silo. "
                + $"Start this one with --instance {doors.Instance + 1}, which shifts every port by {InstanceOptions.PortStep} "
                + $"more, or give another port with --{door.Setting}.";
        }
        catch (SocketException failure)
        {
            return $"Port {door.EndPoint.Port} for {door.What} ({door.Setting}) cannot be opened on {door.EndPoint.Address}: "
                + $"{failure.Message}. Give another port with --{door.Setting}.";
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Port {Port} for {What} is in use on {Address}: this door stays closed. Give another port with --{Setting}, "
            + "or 0 to close it without a word"
    )]
    private partial void LogClosed(int port, string what, string address, string setting);
}
