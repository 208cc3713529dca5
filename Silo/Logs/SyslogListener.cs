using System.Net;
using System.Net.Sockets;
using Grains;
using Grains.Logs;
using Grains.Logs.Intake;
using Grains.Logs.Syslog;
using Microsoft.Extensions.Options;
using Silo.Cluster;

namespace Silo.Logs;

/// <summary>
/// Syslog over TCP and UDP, when <c>Logs:SyslogPort</c> is set. Plain syslog has no acknowledgement: what was received is in this process's memory until it is stored,
/// and a crash loses it. While there is no room, TCP is not read any further, so that the sender waits and nothing is lost; UDP is dropped, and counted.
/// </summary>
internal sealed partial class SyslogListener(Doors doors, ILogIntake intake, IOptions<LogsOptions> options, SyslogMetrics metrics, TimeProvider clock, [FromKeyedServices(Clocks.Guards)] TimeProvider guards, ILogger<SyslogListener> logger) : IHostedLifecycleService, IDisposable
{
    /// <summary>Connections at once; what comes after waits to be accepted.</summary>
    public const int MaxConnections = 256;

    /// <summary>Of one message; RFC 5424 §6.1 asks for 2,048 at least.</summary>
    public const int MaxMessageBytes = 64 * 1024;

    private const int MaxDatagramBytes = 65_535;
    private const int Backlog = 128;

    /// <summary>Bytes of datagrams that the system keeps for us, as far as it allows, while we do not read.</summary>
    private const int DatagramRoom = 1024 * 1024;

    private static readonly TimeSpan AcceptAgainAfter = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _abandon = new();
    private readonly SemaphoreSlim _places = new(MaxConnections);
    private readonly List<Task> _work = [];

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Only when the silo takes work is there somewhere to put it.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (!doors.IsOpen(doors.Syslog))
        {
            return Task.CompletedTask;
        }

        var end = doors.Syslog.EndPoint;
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
        _places.Dispose();
    }

    private async Task Accept(Socket listener)
    {
        using var closing = listener;
        var connections = new HashSet<Task>();
        try
        {
            while (true)
            {
                await _places.WaitAsync(_stop.Token);
                connections.RemoveWhere(connection => connection.IsCompleted);
                connections.Add(Connection(await Next(listener)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task<Socket> Next(Socket listener)
    {
        while (true)
        {
            try
            {
                return await listener.AcceptAsync(_stop.Token);
            }
            catch (SocketException failure)
            {
                // It went before it was accepted, or this process has no room for more files: others will come.
                LogNotAccepted(failure);
                await Task.Delay(AcceptAgainAfter, clock, _stop.Token);
            }
        }
    }

    /// <summary>Reads while there is room, gathers for a moment, and hands in before it reads on.</summary>
    private async Task Connection(Socket socket)
    {
        using var closing = socket;
        using var batch = new SyslogBatch(intake, clock, guards, options.Value.MaxRecordBytes, LogAgain);
        var frames = new SyslogFrames(MaxMessageBytes);
        var buffer = new byte[2 * MaxMessageBytes];
        var held = 0;
        try
        {
            // A read that is under way goes on while what was gathered is handed in.
            var read = socket.ReceiveAsync(buffer.AsMemory(held), _stop.Token).AsTask();
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
                held = TakeAll(frames, batch, buffer, held + received, isLast: received == 0);
                if (batch.IsFull || received == 0)
                {
                    await Store(batch);
                }

                if (received == 0)
                {
                    return;
                }

                read = socket.ReceiveAsync(buffer.AsMemory(held), _stop.Token).AsTask();
            }
        }
        catch (Exception e) when (e is SocketException || _stop.IsCancellationRequested)
        {
            // The sender, or this silo, is going: what was read whole is handed in all the same.
            await LastOnes(batch);
        }
        finally
        {
            metrics.OnDropped(frames.TooLarge, "tcp");
            _places.Release();
        }
    }

    private async Task Store(SyslogBatch batch)
    {
        var count = batch.Count;
        await batch.HandIn(_abandon.Token);
        metrics.OnStored(count, "tcp");
    }

    private int TakeAll(SyslogFrames frames, SyslogBatch batch, byte[] buffer, int held, bool isLast)
    {
        ReadOnlySpan<byte> rest = buffer.AsSpan(0, held);
        var now = clock.GetLocalNow();
        while (frames.TryTake(ref rest, isLast, out var message))
        {
            batch.Add(message, now);
        }

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
        try
        {
            var read = Receive(socket, buffer);
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
                if (received > MaxMessageBytes || filling.IsFull)
                {
                    metrics.OnDropped(1, "udp");
                }
                else if (received > 0)
                {
                    filling.Add(buffer.AsSpan(0, received), clock.GetLocalNow());
                }

                read = Receive(socket, buffer);
            }
        }
        catch (OperationCanceledException)
        {
            await handing;
            await HandInOrDrop(filling);
        }
    }

    /// <summary>A datagram; 0 when the system told of a fault of another's (a port that is not there), which is not ours.</summary>
    private async Task<int> Receive(Socket socket, byte[] buffer)
    {
        try
        {
            return await socket.ReceiveAsync(buffer, _stop.Token);
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "Messages of syslog could not be handed in; they are handed in again")]
    private partial void LogAgain(Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Messages} messages of syslog were received and could not be stored before the silo stopped")]
    private partial void LogLost(long messages);
}
