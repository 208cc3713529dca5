using Grpc.Core;
using Grpc.Net.Client;
using Silo.Orders;
using Silo.Orders.Wire;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>Orders of a real silo, by gRPC, HTTP and the console: the same orders at each.</summary>
public sealed class OrderDoorsTests(ReadySilo silo) : IDisposable
{
    private readonly HttpClient _http = new() { Timeout = Wait.HangBound };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Gateway => silo.Place.Gateway.ToString();

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task OrdersAreTheSameAtEveryDoor()
    {
        await silo.Started();
        using var channel = GrpcChannel.ForAddress($"http://{silo.Place.Grpc}");
        var book = new OrderBook.OrderBookClient(channel);
        var asked = new PlaceRequest
        {
            Customer = "ann",
            Currency = "EUR",
            Lines =
            {
                new OrderState.Types.Line
                {
                    Sku = "tea",
                    Quantity = 2,
                    Price = 450,
                },
            },
        };

        var order = await book.PlaceAsync(asked, Key("k"), cancellationToken: Cancel);
        Assert.Equal(("placed", 1, 900), (order.Status, order.Version, order.Total));
        Assert.Equal(order, await book.PlaceAsync(asked, Key("k"), cancellationToken: Cancel));
        Assert.Equal(
            (StatusCode.AlreadyExists, "key-reused"),
            await Refused(() => book.PlaceAsync(new(asked) { Customer = "bob" }, Key("k"), cancellationToken: Cancel))
        );
        Assert.Equal(
            (StatusCode.InvalidArgument, "invalid"),
            await Refused(() => book.PlaceAsync(new(asked) { Currency = "" }, Key("k2"), cancellationToken: Cancel))
        );

        await using var pay = await ConsoleProcess.Reach("orders", "pay", order.Id, "--json", "--gateway", Gateway);
        Assert.Equal("paid", pay.Last.GetProperty("status").GetString());
        Assert.Equal(
            (StatusCode.Aborted, "stale"),
            await Refused(() =>
                book.TakeAsync(
                    new()
                    {
                        OrderId = order.Id,
                        Step = TakeRequest.Types.Step.Ship,
                        ExpectedVersion = 1,
                    },
                    cancellationToken: Cancel
                )
            )
        );
        Assert.Equal(
            (StatusCode.FailedPrecondition, "wrong-state"),
            await Refused(() =>
                book.TakeAsync(new() { OrderId = order.Id, Step = TakeRequest.Types.Step.Complete }, cancellationToken: Cancel)
            )
        );
        Assert.Equal(
            (StatusCode.NotFound, "not-found"),
            await Refused(() => book.ShowAsync(new() { OrderId = "nosuch" }, cancellationToken: Cancel))
        );
        Assert.Equal(
            3,
            (
                await book.TakeAsync(
                    new()
                    {
                        OrderId = order.Id,
                        Step = TakeRequest.Types.Step.Ship,
                        ExpectedVersion = 2,
                    },
                    cancellationToken: Cancel
                )
            ).Version
        );

        using var shown = await _http.GetAsync(new Uri($"http://{silo.Place.Http}/api/orders/{order.Id}"), Cancel);
        Assert.Equal("\"3\"", shown.Headers.ETag?.ToString());
        var list = await book.ListAsync(
            new()
            {
                Customer = "ann",
                Status = "shipped",
                Take = 1,
            },
            cancellationToken: Cancel
        );
        Assert.Equal((order.Id, ""), (list.Orders.Single().Id, list.After));
        await using var ledger = await ConsoleProcess.Reach("ledger", "--json", "--gateway", Gateway);
        Assert.Equal(0, await ledger.Exit);
    }

    private static Metadata Key(string key) => new() { { "idempotency-key", key } };

    private static async Task<(StatusCode Code, string? Word)> Refused(Func<AsyncUnaryCall<OrderState>> ask)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await ask());
        return (refused.StatusCode, refused.Trailers.GetValue(OrderBookService.Refusal));
    }
}
