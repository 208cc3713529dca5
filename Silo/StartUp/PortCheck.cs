using System.Net.Sockets;
using Silo.Endpoints;

namespace Silo.StartUp;

/// <summary>
/// Every port of the silo is free. A door whose port was not set, and is taken, stays closed instead, with a warning: a second program that
/// likes the
/// same port is no reason not to work. To a front, which is nothing but doors, it is one.
/// </summary>
public sealed partial class PortCheck(ListeningEndpoints endpoints, IConfiguration configuration, ILogger<PortCheck> logger) : IStartUpCheck
{
    public Task Run(CancellationToken cancel)
    {
        foreach (var endpoint in endpoints.All.ToArray())
        {
            if (Problem(endpoints, endpoint) is not { } problem)
            {
                continue;
            }

            if (configuration[endpoint.Setting] is not null || endpoints.IsFront || !endpoints.Open.Contains(endpoint))
            {
                throw new StartUpException(problem);
            }

            endpoints.Close(endpoint);
            LogClosed(endpoint.EndPoint.Port, endpoint.Purpose, endpoint.Address.ToString(), endpoint.Setting);
        }

        return Task.CompletedTask;
    }

    /// <summary>Why the port cannot be opened now, and what to do; null when it can.</summary>
    public static string? Problem(ListeningEndpoints endpoints, ListeningEndpoint endpoint)
    {
        try
        {
            using var socket = new Socket(endpoint.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(endpoint.EndPoint);
            socket.Listen(1);
            return null;
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return $"Port {endpoint.EndPoint.Port} for {endpoint.Purpose} ({endpoint.Setting}) is in use on "
                + $"{endpoint.EndPoint.Address}, perhaps "
                + $"by another silo. "
                + $"Start this one with --instance {endpoints.Instance + 1}, which shifts every port by {InstanceOptions.PortStep} "
                + $"more, or give another port with --{endpoint.Setting}.";
        }
        catch (SocketException failure)
        {
            return $"Port {endpoint.EndPoint.Port} for {endpoint.Purpose} ({endpoint.Setting}) cannot be opened on "
                + $"{endpoint.EndPoint.Address}: "
                + $"{failure.Message}. Give another port with --{endpoint.Setting}.";
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Port {Port} for {What} is in use on {Address}: this door stays closed. Give another port with --{Setting}, "
            + "or 0 to close it without a word"
    )]
    private partial void LogClosed(int port, string what, string address, string setting);
}
