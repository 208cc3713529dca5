using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Doubles.Logs;
using Grains.Logs;
using Grains.Logs.Intake;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Silo.Endpoints;
using Silo.Logs;
using Xunit;

namespace EndToEnd.Logs;

public sealed class SyslogListenerTests : IAsyncLifetime
{
    private readonly LogIntakeInMemory _intake = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly IPEndPoint _end = new(IPAddress.Loopback, Unique.Port());
    private SyslogListener _listener = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var doors = TestEndpoints.Of(new(), new(), new(), new(), new InstanceOptions(), new() { SyslogPort = _end.Port });
        _listener = new(
            doors,
            _intake,
            Microsoft.Extensions.Options.Options.Create(new LogsOptions()),
            new(_services.GetRequiredService<IMeterFactory>()),
            TimeProvider.System,
            TimeProvider.System,
            NullLogger<SyslogListener>.Instance
        );
        await _listener.StartedAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _listener.StoppingAsync(Cancel);
        _listener.Dispose();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task MessagesOverTcpAreStoredInTheirOrderInBothFramings()
    {
        await Send("<14>1 - h app - - - one\n<14>1 - h app - - - two\n23 <14>1 - h app - - - one\n<14>1 - h app - - - cut");
        await Came(records: 4);
        Assert.Equal(["one", "two", "one", "cut"], _intake.Lines.Select(line => line.Body));
        Assert.All(_intake.Lines, line => Assert.Equal(("app", "h", 9), (line.Service, line.Host, line.Severity)));
    }

    [Fact]
    public async Task WhatComesWithoutAnEndIsStoredWhileTheConnectionStaysOpen()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(_end, Cancel);
        await client.GetStream().WriteAsync("<14>1 - h app - - - one\n"u8.ToArray(), Cancel);
        await Came(records: 1);
        await client.GetStream().WriteAsync("<14>1 - h app - - - two\n"u8.ToArray(), Cancel);
        await Came(records: 2);
        Assert.Equal(["one", "two"], _intake.Lines.Select(line => line.Body));
    }

    [Fact]
    public async Task WhatThereIsNoRoomForOverTcpIsHandedInAgainUnderTheSameName()
    {
        _intake.AnswerNext(IntakeReply.Full, IntakeReply.Unavailable);
        await Send(string.Concat(Enumerable.Range(0, 2000).Select(number => $"<14>1 - h app - - - {number}\n")));
        await Came(records: 2000);
        Assert.Equal(Enumerable.Range(0, 2000).Select(number => $"{number}"), _intake.Lines.Select(line => line.Body));
        Assert.Equal(2, _intake.Refused);
    }

    [Fact]
    public async Task ADatagramIsAMessageAndIsDroppedWhenThereIsNoRoom()
    {
        using var client = new UdpClient();
        client.Connect(_end);
        _intake.AnswerNext(IntakeReply.Full);
        await client.SendAsync("<14>1 - h app - - - lost"u8.ToArray(), Cancel);
        await _intake.NextRefused(Cancel);

        await client.SendAsync("<14>1 - h app - - - kept\n"u8.ToArray(), Cancel);
        await Came(records: 1);
        Assert.Equal(["kept"], _intake.Lines.Select(line => line.Body));
    }

    private async Task Send(string bytes)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(_end, Cancel);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(bytes), Cancel);
    }

    private async Task Came(int records)
    {
        while (_intake.Lines.Count() < records)
        {
            await _intake.Next(Cancel);
        }
    }
}
