using System.Net;
using System.Net.Sockets;

namespace Grains.Net;

/// <summary>Why no connection came about.</summary>
public enum ConnectFailure
{
    /// <summary>The name has no address, or nobody answered at any of its addresses.</summary>
    Unreachable,

    /// <summary>All addresses are private, and none is among those that may be connected to.</summary>
    PrivateAddress,

    /// <summary>No name that DNS could know.</summary>
    BadName,

    /// <summary>The proxy that was to be asked could not be connected to.</summary>
    Proxy,
}

/// <summary>No connection came about, and why.</summary>
internal sealed class CannotConnectException(ConnectFailure failure, string sentence, Exception? cause = null) : Exception(sentence, cause)
{
    public ConnectFailure Failure { get; } = failure;
}

/// <summary>
/// Opens connections to public addresses, and to those private ones that are allowed. The address that is checked is the one that is
/// connected to: no second look-up lies between.
/// </summary>
internal static class CheckedConnection
{
    /// <param name="host">A name, or an address.</param>
    /// <param name="allowed">Private addresses that may be connected to; null: all, for a host that the operator named.</param>
    /// <param name="resolve">All addresses of a name; null: the system's resolver.</param>
    /// <param name="connect">Opens a connection to one address, or throws a <see cref="SocketException"/>; null: over TCP.</param>
    /// <param name="cancel">Ends it with an OperationCanceledException.</param>
    /// <exception cref="CannotConnectException">No address may be connected to, or none answers.</exception>
    public static async ValueTask<Stream> Open(
        DnsEndPoint host,
        AddressRanges? allowed,
        Func<string, CancellationToken, Task<IPAddress[]>>? resolve,
        Func<IPEndPoint, CancellationToken, ValueTask<Stream>>? connect,
        CancellationToken cancel
    )
    {
        var permitted = await Permitted(host.Host, allowed, resolve, cancel).ConfigureAwait(false);
        SocketException? last = null;
        foreach (var address in permitted)
        {
            var target = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
            try
            {
                return await (connect ?? Tcp)(new(target, host.Port), cancel).ConfigureAwait(false);
            }
            catch (SocketException exception)
            {
                last = exception;
            }
        }

        throw new CannotConnectException(
            ConnectFailure.Unreachable,
            $"No connection to {host.Host} ({permitted[^1]}) on port {host.Port}: {last!.SocketErrorCode}.",
            last
        );
    }

    /// <summary>The addresses of a host that may be connected to, one at least.</summary>
    /// <inheritdoc cref="Open"/>
    public static async ValueTask<IPAddress[]> Permitted(
        string host,
        AddressRanges? allowed,
        Func<string, CancellationToken, Task<IPAddress[]>>? resolve,
        CancellationToken cancel
    )
    {
        var addresses = await Resolve(host, resolve ?? Dns.GetHostAddressesAsync, cancel).ConfigureAwait(false);
        var permitted = allowed is null ? addresses : Array.FindAll(addresses, address => !PrivateAddresses.Refuses(address, allowed));
        if (permitted.Length == 0)
        {
            var address = addresses[0];
            throw new CannotConnectException(
                ConnectFailure.PrivateAddress,
                $"{host} is {address}, which is {PrivateAddresses.Kind(address)} and not among the ranges that may be "
                    + $"connected to ({(allowed!.IsEmpty ? "none" : allowed)})."
            );
        }

        return permitted;
    }

    private static async ValueTask<Stream> Tcp(IPEndPoint target, CancellationToken cancel)
    {
        var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(target, cancel).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<IPAddress[]> Resolve(
        string host,
        Func<string, CancellationToken, Task<IPAddress[]>> resolve,
        CancellationToken cancel
    )
    {
        if (IPAddress.TryParse(host, out var literal))
        {
            return [literal];
        }

        try
        {
            var addresses = await resolve(host, cancel).ConfigureAwait(false);
            return addresses.Length > 0
                ? addresses
                : throw new CannotConnectException(ConnectFailure.Unreachable, $"The name {host} has no address.");
        }
        catch (SocketException exception)
        {
            throw new CannotConnectException(
                ConnectFailure.Unreachable,
                $"The name {host} has no address: {exception.SocketErrorCode}.",
                exception
            );
        }
        catch (ArgumentException exception)
        {
            throw new CannotConnectException(
                ConnectFailure.BadName,
                $"{host} is no name that DNS could know: {exception.Message}",
                exception
            );
        }
    }
}
