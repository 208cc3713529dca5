using System.Collections.Immutable;
using System.Text.Json;
using Doubles.Orders;
using Grains.Interfaces.Orders;
using Xunit;

namespace Unit.Client;

public sealed class WatchTests : IDisposable
{
    private static readonly OrderId Id = ChangesInMemory.Id(3, 7);

    private readonly ConsoleInMemory _console = new();
    private readonly ChangesInMemory _feed = new(8);
    private readonly CancellationTokenSource _ctrlC = new();

    public WatchTests()
    {
        _console.CtrlC = _ctrlC.Token;
        Watch.OnEnd = _ctrlC.Cancel;
    }

    private OrderWatchInMemory Watch => _console.Cluster.KnownWatch;

    public void Dispose() => _ctrlC.Dispose();

    [Fact]
    public async Task AChangeIsAnObjectALine()
    {
        Answer("c1");
        Answer("c3", ("c2", Change()), ("c3", Change()));

        var printed = await _console.Run("orders", "watch", "--json");

        Assert.Equal(ExitCode.Done, printed.Code);
        Assert.Equal(2, printed.Lines.Length);
        var second = JsonElement.Parse(printed.Lines[1]);
        Assert.Equal(["cursor", "orderId", "version", "type", "at", "order"], second.EnumerateObject().Select(member => member.Name));
        Assert.Equal(
            ("c3", Id.Value, 2, "order.paid"),
            (
                second.GetProperty("cursor").GetString()!,
                second.GetProperty("orderId").GetString()!,
                second.GetProperty("version").GetInt64(),
                second.GetProperty("type").GetString()!
            )
        );
        Assert.Equal("paid", second.GetProperty("order").GetProperty("status").GetString());
    }

    [Fact]
    public async Task ThePreviousOrderComesAlongWhenItIsAskedFor()
    {
        Answer("c2", ("c1", Change()), ("c2", Change()));

        var printed = await _console.Run("orders", "watch", Id.Value, "--from", "start", "--previous", "--json");

        Assert.Equal((Id.Value, "start"), (Watch.Reads[0].Order!, Watch.Reads[0].From!));
        Assert.False(JsonElement.Parse(printed.Lines[0]).TryGetProperty("previous", out _));
        Assert.Equal(
            ("placed", 1),
            (
                JsonElement.Parse(printed.Lines[1]).GetProperty("previous").GetProperty("status").GetString()!,
                JsonElement.Parse(printed.Lines[1]).GetProperty("previous").GetProperty("version").GetInt64()
            )
        );
    }

    [Fact]
    public async Task ForPeopleItIsALineOfText()
    {
        Answer("c2", ("c1", Change()), ("c2", Change()));

        var printed = await _console.Run("orders", "watch", "--from", "start", "--previous");

        Assert.Equal(
            [
                $"1970-01-01 00:00:00Z  {Id}  v1  placed     9.00 EUR  ann",
                $"1970-01-01 00:00:01Z  {Id}  v2  paid       9.00 EUR  ann  was placed since 1970-01-01 00:00:00Z",
            ],
            printed.Lines
        );
        Assert.Equal("Go on after this with: orders watch --from c2\n", printed.Error);
    }

    [Fact]
    public async Task EachReadGoesOnFromTheCursorBefore()
    {
        Answer("c1");
        Answer("c2", ("c2", Change()));
        Answer("c3");

        await _console.Run("orders", "watch");

        Assert.Equal([null, "c1", "c2", "c3"], Watch.Reads.Select(read => read.From));
    }

    [Fact]
    public async Task ASiloThatIsGoneIsLookedForAndTheSameIsAskedAgain()
    {
        Answer("c1");
        Answer("c2", ("c2", Change()));
        Watch.Pages.Add(() => throw new SiloUnavailableException("It was killed."));
        Watch.Pages.Add(() => throw new TimeoutException("It stands still."));
        Answer("c3", ("c3", Change()));
        _console.OnOpen = open =>
        {
            if (open == 1)
            {
                throw new ConsoleException("No silo was reached.", ExitCode.NoSilo);
            }
        };

        var printed = await _console.Run("orders", "watch");

        Assert.Equal([null, "c1", "c2", "c2", "c2", "c3"], Watch.Reads.Select(read => read.From));
        Assert.Equal(2, printed.Lines.Length);
        Assert.Equal(
            "The silo does not answer; looking for it. No change is missed: the watch goes on where it was.\nA silo answers "
                + "again, after 0.0 s.\nGo on after this with: orders watch --from c3\n",
            printed.Error
        );
    }

    [Fact]
    public async Task WhatIsRefusedEndsItWithTheSentence()
    {
        Watch.Pages.Add(() => new([], null, WatchRefusal.Compacted, "What comes after this cursor is not kept any more.", "c9"));

        var printed = await _console.Run("orders", "watch", "--from", "c1");

        Assert.Equal((ExitCode.Failed, "What comes after this cursor is not kept any more.\n"), (printed.Code, printed.Error));
    }

    [Fact]
    public async Task ASiloWithoutRoomIsAskedAgain()
    {
        Watch.Pages.Add(() => new([], null, WatchRefusal.Full, "Too many watch."));
        Answer("c1");

        var printed = await _console.Run("orders", "watch");

        Assert.Equal(
            (ExitCode.Done, "Too many watch.\nA silo answers again, after 0.0 s.\nGo on after this with: orders watch --from c1\n"),
            (printed.Code, printed.Error)
        );
    }

    [Fact]
    public async Task WithoutASiloToBeginWithItSaysSo()
    {
        _console.OnOpen = _ => throw new ConsoleException("No silo was reached.", ExitCode.NoSilo);

        var printed = await _console.Run("orders", "watch");

        Assert.Equal((ExitCode.NoSilo, "No silo was reached.\n"), (printed.Code, printed.Error));
    }

    private OrderChange Change() => _feed.CommitInSilence(Id);

    private void Answer(string cursor, params ImmutableArray<(string Cursor, OrderChange Change)> changes) =>
        Watch.Pages.Add(() => new([.. changes.Select(told => new WatchedOrder(told.Cursor, told.Change))], cursor));
}
