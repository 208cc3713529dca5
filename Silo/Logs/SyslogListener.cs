using System.Net;
using System.Net.Sockets;
using Grains;
using Grains.Logs;
using Grains.Logs.Intake;
using Grains.Logs.Syslog;
using Microsoft.Extensions.Options;
using Silo.Endpoints;

namespace Silo.Logs;

/// <summary>
/// Syslog over TCP and UDP, when <c>Logs:SyslogPort</c> is set. Plain syslog has no acknowledgement: what was received is in this process's
/// memory until it is stored,
/// and a crash loses it. While there is no room, TCP is not read any further, so that the sender waits and nothing is lost; UDP is dropped,
/// and counted.
/// </summary>
internal sealed partial class SyslogListener(
    ListeningEndpoints endpoints,
    ILogIntake intake,
    IOptions<LogsOptions> options,
    SyslogMetrics metrics,
    TimeProvider clock,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
    ILogger<SyslogListener> logger
) : IHostedLifecycleService, IDisposable
{
    /// <summary>Connections at once. One more closes one that is idle, or is refused (<see cref="ConnectionLimit{T}"/>).</summary>
    public const int MaxConnections = 256;

    /// <summary>Of one message over TCP; RFC 5424 §6.1 asks for 2,048 at least. What is longer is cut.</summary>
    public const int MaxMessageBytes = 64 * 1024;

    /// <summary>
    /// Connections that are open, or closed and still handing in what they brought. What comes after waits to be accepted.
    /// </summary>
    private const int MaxEndings = 2 * MaxConnections;

    private const int MaxDatagramBytes = 65_535;
    private const int Backlog = 128;

    /// <summary>Bytes of datagrams that the system keeps for us, as far as it allows, while we do not read.</summary>
    private const int DatagramRoom = 1024 * 1024;

    private static readonly TimeSpan AcceptAgainAfter = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan WarnAgainAfter = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _abandon = new();
    private readonly SemaphoreSlim _endings = new(MaxEndings);
    private readonly ConnectionLimit<SyslogPeer> _connections = new(MaxConnections);
    private readonly List<Task> _work = [];
    private long _warned;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Only when the silo takes work is there somewhere to put it.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (endpoints.Find(LogEndpointsOptions.SyslogSetting) is not { } syslog || !endpoints.IsOpen(syslog))
        {
            return Task.CompletedTask;
        }

        var end = syslog.EndPoint;
        var tcp = new Socket(end.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        tcp.Bind(end);
        tcp.Listen(Backlog);
        var udp = new Socket(end.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        udp.ReceiveBufferSize = DatagramRoom;
        udp.Bind(end);
        _work.Add(Accept(tcp));
        _work.Add(Datagrams(udp));
        LogListening(end);
        return Task.CompletedTask;
    }

    /// <summary>Reads no more, and hands in what was read.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        _abandon.CancelAfter(LastWords);
        await Task.WhenAll(_work);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _stop.Dispose();
        _abandon.Dispose();
        _endings.Dispose();
    }

    private async Task Accept(Socket listener)
    {
        using var closing = listener;
        var connections = new HashSet<Task>();
        try
        {
            while (true)
            {
                await _endings.WaitAsync(_stop.Token);
                connections.RemoveWhere(connection => connection.IsCompleted);
                connections.Add(Connection(await Next(listener)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task Connection(Socket socket)
    {
        using var peer = new SyslogPeer(socket, _stop.Token);
        try
        {
            if (Enter(peer))
            {
                await Read(peer);
            }
        }
        finally
        {
            lock (_connections)
            {
                _connections.Remove(peer);
            }

            _endings.Release();
        }
    }

    /// <summary>Makes room for a connection by closing one that is idle. False: there is none, and the new one is refused.</summary>
    private bool Enter(SyslogPeer peer)
    {
        SyslogPeer? evicted;
        bool isIn;
        lock (_connections)
        {
            isIn = _connections.TryAdd(peer, peer.Address, clock.GetUtcNow(), out evicted);
        }

        if (evicted is not null)
        {
            metrics.OnClosed("idle");
            evicted.Close();
            if (MayWarn())
            {
                LogEvicted(MaxConnections, evicted.Address, peer.Address);
            }
        }

        if (!isIn)
        {
            metrics.OnClosed("refused");
            if (MayWarn())
            {
                LogRefused(MaxConnections, peer.Address);
            }
        }

        return isIn;
    }

    /// <summary>Warnings of what a flood of senders causes are given once in a while; all of it is counted.</summary>
    private bool MayWarn()
    {
        var (now, last) = (clock.GetTimestamp(), Interlocked.Read(ref _warned));
        return (last == 0 || clock.GetElapsedTime(last, now) >= WarnAgainAfter)
            && Interlocked.CompareExchange(ref _warned, now, last) == last;
    }

    private async Task<Socket> Next(Socket listener)
    {
        while (true)
        {
            try
            {
                return await listener.AcceptAsync(_stop.Token);
            }
            catch (SocketException gone) when (gone.SocketErrorCode is SocketError.ConnectionAborted or SocketError.ConnectionReset)
            {
                // It went before it was accepted: others will come.
            }
            catch (SocketException failure)
            {
                // This process has no room for more files, for one: others will come.
                LogNotAccepted(failure);
                await Task.Delay(AcceptAgainAfter, clock, _stop.Token);
            }
        }
    }

    /// <summary>Reads while there is room, gathers for a moment, and hands in before it reads on.</summary>
    private async Task Read(SyslogPeer peer)
    {
        using var batch = new SyslogBatch(intake, clock, guards, options.Value.MaxRecordBytes, LogAgain);
        var frames = new SyslogFrames(MaxMessageBytes);
        var buffer = new byte[2 * MaxMessageBytes];
        var held = 0;
        try
        {
            // A read that is under way goes on while what was gathered is handed in.
            var read = peer.Receive(buffer.AsMemory(held));
            while (true)
            {
                if (batch.Count > 0 && !read.IsCompleted && batch.Left is var left)
                {
                    if (left <= TimeSpan.Zero || await Task.WhenAny(read, Task.Delay(left, clock)) != read)
                    {
                        await Store(batch);
                        continue;
                    }
                }

                var received = await read;
                lock (_connections)
                {
                    _connections.Seen(peer, clock.GetUtcNow());
                }

                held = TakeAll(peer, frames, batch, buffer, held + received, isLast: received == 0);
                if (batch.IsFull || received == 0)
                {
                    await Store(batch);
                }

                if (received == 0)
                {
                    return;
                }

                read = peer.Receive(buffer.AsMemory(held));
            }
        }
        catch (Exception e) when (e is SocketException || peer.IsClosed)
        {
            // The sender, or this silo, is going, or the connection made room for another: what was read is handed in all the same.
            TakeAll(peer, frames, batch, buffer, held, isLast: true);
            await LastOnes(batch);
        }
        finally
        {
            if (frames.Cut > 0)
            {
                LogCutInAll(peer.Address, frames.Cut, frames.PassedOver);
            }
        }
    }

    private async Task Store(SyslogBatch batch)
    {
        var count = batch.Count;
        await batch.HandIn(_abandon.Token);
        metrics.OnStored(count, "tcp");
    }

    private int TakeAll(SyslogPeer peer, SyslogFrames frames, SyslogBatch batch, byte[] buffer, int held, bool isLast)
    {
        var (cut, passedOver) = (frames.Cut, frames.PassedOver);
        ReadOnlySpan<byte> rest = buffer.AsSpan(0, held);
        var now = clock.GetLocalNow();
        while (frames.TryTake(ref rest, isLast, out var message, out var isCut))
        {
            if (batch.Add(message, now, peer.AddressText, isCut))
            {
                metrics.OnCut(1, message.Length - options.Value.MaxRecordBytes, "tcp");
            }
        }

        if (frames.Cut > cut && cut == 0)
        {
            LogCut(peer.Address, MaxMessageBytes);
        }

        metrics.OnCut(frames.Cut - cut, frames.PassedOver - passedOver, "tcp");
        rest.CopyTo(buffer);
        return rest.Length;
    }

    /// <summary>Two batches: one is filled while the other is handed in. What comes when both are full is dropped.</summary>
    private async Task Datagrams(Socket socket)
    {
        using var closing = socket;
        using var one = new SyslogBatch(intake, clock, guards, options.Value.MaxRecordBytes, LogAgain);
        using var other = new SyslogBatch(intake, clock, guards, options.Value.MaxRecordBytes, LogAgain);
        var (filling, handing) = (one, Task.CompletedTask);
        var buffer = new byte[MaxDatagramBytes];
        var from = new SocketAddress(socket.AddressFamily);
        var senders = new SyslogSenders();
        try
        {
            var read = Receive(socket, buffer, from);
            while (true)
            {
                if (filling.Count > 0 && handing.IsCompleted && (filling.IsFull || filling.Left <= TimeSpan.Zero))
                {
                    handing = HandInOrDrop(filling);
                    filling = filling == one ? other : one;
                }

                if (filling.Count > 0 && !read.IsCompleted)
                {
                    var wait = handing.IsCompleted ? Task.Delay(filling.Left, clock) : handing;
                    if (await Task.WhenAny(read, wait) != read)
                    {
                        continue;
                    }
                }

                var received = await read;
                if (filling.IsFull)
                {
                    metrics.OnDropped(1, "udp");
                }
                else if (received > 0 && filling.Add(buffer.AsSpan(0, received), clock.GetLocalNow(), senders.TextOf(from)))
                {
                    metrics.OnCut(1, received - options.Value.MaxRecordBytes, "udp");
                    if (MayWarn())
                    {
                        LogCut(System.Text.Encoding.ASCII.GetString(senders.TextOf(from)), options.Value.MaxRecordBytes);
                    }
                }

                read = Receive(socket, buffer, from);
            }
        }
        catch (OperationCanceledException)
        {
            await handing;
            await HandInOrDrop(filling);
        }
    }

    /// <summary>A datagram; 0 when the system told of a fault of another's (a port that is not there), which is not ours.</summary>
    private async Task<int> Receive(Socket socket, byte[] buffer, SocketAddress from)
    {
        try
        {
            return await socket.ReceiveFromAsync(buffer, SocketFlags.None, from, _stop.Token);
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    private async Task HandInOrDrop(SyslogBatch batch)
    {
        var count = batch.Count;
        if (count == 0)
        {
            return;
        }

        var isStored = false;
        try
        {
            isStored = await batch.TryHandIn(_abandon.Token);
        }
        catch (OperationCanceledException)
        {
            LogLost(count);
        }

        batch.Clear();
        metrics.OnStored(isStored ? count : 0, "udp");
        metrics.OnDropped(isStored ? 0 : count, "udp");
    }

    private async Task LastOnes(SyslogBatch batch)
    {
        try
        {
            await Store(batch);
        }
        catch (OperationCanceledException)
        {
            metrics.OnDropped(batch.Count, "tcp");
            LogLost(batch.Count);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Syslog is taken on {EndPoint}, over TCP and UDP")]
    private partial void LogListening(IPEndPoint endPoint);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A connection of syslog could not be accepted")]
    private partial void LogNotAccepted(Exception exception);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "There are {Connections} connections of syslog: the idle one of {Evicted} is closed for one of {Peer}"
    )]
    private partial void LogEvicted(int connections, string evicted, string peer);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "There are {Connections} connections of syslog and none is idle: one of {Peer} is refused"
    )]
    private partial void LogRefused(int connections, string peer);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "A message of syslog from {Peer} is longer than {Bytes} bytes and is cut; its record says log.truncated"
    )]
    private partial void LogCut(string peer, int bytes);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "A connection of syslog from {Peer} ended: {Messages} messages were too long and were cut, {Bytes} bytes "
            + "behind the cuts were passed over"
    )]
    private partial void LogCutInAll(string peer, long messages, long bytes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Messages of syslog could not be handed in; they are handed in again")]
    private partial void LogAgain(Exception exception);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "{Messages} messages of syslog were received and could not be stored before the silo stopped"
    )]
    private partial void LogLost(long messages);
}
