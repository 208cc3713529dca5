using Grains.Interfaces.Orders;
using Grains.Orders.Audit;
using Unit.Orders;
using Xunit;

namespace Unit.Client;

/// <summary><c>orders timeline</c>, <c>orders deliveries resend</c>, <c>orders audit check</c>.</summary>
public sealed class TimelineVerbTests
{
    private readonly ConsoleInMemory _console = new();

    private SubscribersInMemory Subscribers => _console.Cluster.KnownSubscribers;

    [Fact]
    public async Task AnOrdersTimeLineIsShownWithWhatWasAnswered()
    {
        var id = Timeline();
        Assert.Equal(
            [
                "when                  version  what                 detail                                    audit",
                "2026-03-01 12:00:00Z  1        order.placed                                                   4",
                "2026-03-01 12:00:01Z  1        try: webhook-a       http-500: Answered 500. Answered: not ok",
                "2026-03-01 12:00:02Z  1        webhook-a.delivered  http-204                                  5",
            ],
            (await _console.Run("orders", "timeline", id.Value)).Lines.Select(line => line.TrimEnd())
        );
    }

    [Fact]
    public async Task ATimeLineIsAnObjectALineForPrograms()
    {
        var id = Timeline();
        var lines = (await _console.Run("orders", "timeline", id.Value, "--json")).Entries;
        Assert.Equal(3, lines.Length);
        Assert.Equal(
            """{"at":"2026-03-01T12:00:01+00:00","kind":"try","version":1,"what":"order.placed","subscriber":"webhook-a","""
                + "\"detail\":\"http-500: Answered 500.\",\"answer\":\"not ok\"}",
            lines[1]
        );
    }

    [Fact]
    public async Task AnOrderThatThereIsNotHasNoTimeLine()
    {
        var none = await _console.Run("orders", "timeline", Given.Id("nobody").Value);
        Assert.Equal(ExitCode.Failed, none.Code);
        Assert.StartsWith("There is no order ", none.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DeliveriesSinceATimeAreMadeOnceMore()
    {
        Subscribers.Resent = new(3, 1, "8df.2-8de");
        var resent = await _console.Run("orders", "deliveries", "resend", "--to", "webhook-a", "--since", "2026-03-01T11:00:00Z");
        Assert.Equal(["3 deliveries are made once more."], resent.Lines);
        Assert.Contains("go on with: --after 8df.2-8de", resent.Error, StringComparison.Ordinal);
        Assert.Contains("1 delivery is of changes that are not kept any more", resent.Error, StringComparison.Ordinal);
        Assert.Equal(["resend   webhook-a 2026-03-01 11:00:00Z"], Subscribers.Asked);
    }

    [Theory]
    [InlineData("Name an order, or --to and --since.")]
    [InlineData("Deliveries since a time are those of one subscriber: name it.", "--since", "1h")]
    [InlineData("--since is how long ago", "--to", "mail", "--since", "soon")]
    [InlineData("Name an order, or a subscriber and the time since when", "07", "--to", "mail", "--since", "1h")]
    [InlineData("A version is 1 or more.", "07", "--at-version", "0")]
    [InlineData("\"after\" is what an answer before gave.", "--to", "mail", "--since", "1h", "--after", "?")]
    public async Task WhatCannotBeSentAgainIsWrongUsageBeforeAConnectionIsMade(string says, params string[] args)
    {
        var wrong = await _console.Run(["orders", "deliveries", "resend", .. args]);
        Assert.Equal((ExitCode.WrongUsage, 0), (wrong.Code, _console.Opens));
        Assert.StartsWith(says, wrong.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AProofIsCheckedWithoutACluster()
    {
        using var folder = new Storage.TemporaryFolder();
        using var key = AuditKey.Create();
        var head = key.Sign(new AuditHead(Given.Start, [new PartitionRoot(0, 0, MerkleHash.Empty)]));
        var (file, pem) = (Path.Combine(folder.Path, "head.json"), Path.Combine(folder.Path, "key.pem"));
        await File.WriteAllTextAsync(file, head.ToJson(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(pem, key.PublicKey.ToPem(), TestContext.Current.CancellationToken);

        var good = await _console.Run("orders", "audit", "check", file, "--key", pem);
        Assert.Equal((ExitCode.Done, 0), (good.Code, _console.Opens));
        Assert.StartsWith("The head holds: 0 entries in 1 partition at 2026-03-01T12:00:00Z", good.Output, StringComparison.Ordinal);

        await File.WriteAllTextAsync(file, (head with { KeyId = new string('0', 32) }).ToJson(), TestContext.Current.CancellationToken);
        var wrong = await _console.Run("orders", "audit", "check", file, "--key", pem);
        Assert.Equal(ExitCode.Failed, wrong.Code);
        Assert.StartsWith("The head does not hold: ", wrong.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nothing.json")]
    [InlineData("text.json")]
    public async Task WhatIsNoFileOfTheAuditIsWrongUsage(string name)
    {
        using var folder = new Storage.TemporaryFolder();
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "text.json"), "hello", TestContext.Current.CancellationToken);
        var wrong = await _console.Run("orders", "audit", "check", Path.Combine(folder.Path, name));
        Assert.Equal((ExitCode.WrongUsage, 0), (wrong.Code, _console.Opens));
    }

    private OrderId Timeline()
    {
        var id = Given.Id();
        Subscribers.Timelines[id] = new(
            id,
            [
                new(Given.Start, OrderTimelineKind.Change, 1, "order.placed", null, null, null, 4),
                new(
                    Given.Start.AddSeconds(1),
                    OrderTimelineKind.Try,
                    1,
                    "order.placed",
                    "webhook-a",
                    "http-500: Answered 500.",
                    "not ok",
                    null
                ),
                new(Given.Start.AddSeconds(2), OrderTimelineKind.Delivery, 1, "webhook-a.delivered", "webhook-a", "http-204", null, 5),
            ],
            []
        );
        return id;
    }
}
