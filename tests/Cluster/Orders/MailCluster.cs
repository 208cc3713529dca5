using Doubles.Net;
using Doubles.Orders;
using Grains.Interfaces.Orders;
using Grains.Orders.Audit;
using Grains.Orders.Consumers;
using Grains.Orders.Deliveries.Mail;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Silo.Orders;
using Xunit;

namespace Cluster.Orders;

/// <summary>
/// Orders whose customers are told by mail, over SMTP and a network in memory to a server that misbehaves as a test says. The time of a
/// session is a guard, and stands still.
/// </summary>
public class MailCluster : OrderCluster
{
    /// <summary>Before the second and the third try.</summary>
    public static readonly TimeSpan[] Waits = [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10)];

    private readonly List<SmtpMailSender> _senders = [];

    private readonly MemoryNetwork _network = new();

    public MailCluster() => Server = new(_network);

    public SmtpServer Server { get; private set; }

    protected virtual MailAfterUnknown AfterUnknown => MailAfterUnknown.SendAgain;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Subscribers.Wake(); // It is told of what comes after it was listed.
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _senders.ForEach(sender => sender.Dispose());
        await Server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>An order of a customer of its own, whose address is the name at example.org.</summary>
    public Task<Order> PlacedBy(string customer) => Placed(Asked(customer) with { Email = customer + "@example.org" });

    /// <summary>The server is gone; its port is kept for the one that is back.</summary>
    public async Task<int> StopServer()
    {
        var port = Server.Port;
        await Server.DisposeAsync();
        return port;
    }

    public void StartServer(int port) => Server = new(_network, port);

    /// <summary>What became of telling of a version, once it is so; time passes until then.</summary>
    /// <param name="latest">Time passes no further than this.</param>
    public async Task<Delivery> Until(OrderId order, long version, Func<Delivery, bool> isSo, DateTimeOffset? latest = null)
    {
        Delivery? found = null;
        await Clock.PassUntil(
            $"what became of telling of version {version} of {order}",
            async () =>
                (found = (await Subscribers.Deliveries(order)).All.FirstOrDefault(delivery => delivery.Version == version)) is not null
                && isSo(found),
            latest
        );
        return found!;
    }

    /// <summary>The same, as it is after the first try and before the second.</summary>
    public Task<Delivery> FirstTried(OrderId order) =>
        Until(
            order,
            1,
            delivery => delivery is { Attempts: 1, Next: not null, Tries.Length: 1 },
            latest: Clock.GetUtcNow() + (Waits[0] / 2)
        );

    public IEnumerable<ReceivedMail> MailsTo(string customer) => Server.Ledger.Where(mail => mail.To == customer + "@example.org");

    protected override void AddSubscribers(IServiceCollection services)
    {
        services.AddOrderSubscriber(AuditSubscriber.Rules, (_, partition) => new AuditSubscriber(partition));
        services.AddSingleton(provider =>
        {
            Assert.True(MailRecipient.TryParse("The shop", "shop@example.com", out var from, out _));
            // A session for each mail: faults at its beginning come to it.
            var settings = new SmtpSettings("127.0.0.1", Server.Port, SmtpSecurity.None) { KeepIdle = TimeSpan.Zero };
            var sender = new SmtpMailSender(settings, Guards, _network.Resolve, _network.Connect);
            _senders.Add(sender);
            return new MailContext(
                new(provider.GetRequiredService<ITableStore>(), Clock),
                new(sender, perSecond: null, Clock),
                new(MailTemplates.BuiltIn, from, "The shop"),
                AfterUnknown,
                new("https://shop.example/"),
                Pickup: null
            );
        });
        services.AddSingleton(provider => new SubscriberEntry(MailSubscriber.Rules([.. Waits]), _ => new MailSubscriber(
            provider.GetRequiredService<MailContext>()
        )));
    }
}

/// <summary>The same, where what nobody can know is given up.</summary>
public sealed class GivingUpMailCluster : MailCluster
{
    protected override MailAfterUnknown AfterUnknown => MailAfterUnknown.GiveUp;
}
