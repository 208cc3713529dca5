using Grpc.Core;
using Grpc.Net.Client;
using Silo.Orders;
using Silo.Orders.Wire;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>Orders of a real silo, by gRPC, HTTP and the console: the same orders at each.</summary>
public sealed class OrderDoorsTests : IDisposable
{
    private static readonly TimeSpan FirstStart = TimeSpan.FromSeconds(90);

    private readonly SiloPlace _place = new();
    private readonly HttpClient _http = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Gateway => _place.Gateway.ToString();

    public void Dispose()
    {
        _http.Dispose();
        _place.Dispose();
    }

    [Fact]
    public async Task OrdersAreTheSameAtEveryDoor()
    {
        await using var silo = await SiloProcess.StartReady(_place, FirstStart);
        using var channel = GrpcChannel.ForAddress($"http://{_place.Grpc}");
        var book = new OrderBook.OrderBookClient(channel);
        var asked = new PlaceRequest { Customer = "ann", Currency = "EUR", Lines = { new OrderState.Types.Line { Sku = "tea", Quantity = 2, Price = 450 } } };

        var order = await book.PlaceAsync(asked, Key("k"), cancellationToken: Cancel);
        Assert.Equal(("placed", 1, 900), (order.Status, order.Version, order.Total));
        Assert.Equal(order, await book.PlaceAsync(asked, Key("k"), cancellationToken: Cancel));
        Assert.Equal((StatusCode.AlreadyExists, "key-reused"), await Refused(() => book.PlaceAsync(new(asked) { Customer = "bob" }, Key("k"), cancellationToken: Cancel)));
        Assert.Equal((StatusCode.InvalidArgument, "invalid"), await Refused(() => book.PlaceAsync(new(asked) { Currency = "" }, Key("k2"), cancellationToken: Cancel)));

        await using var pay = await ConsoleProcess.Run("orders", "pay", order.Id, "--json", "--gateway", Gateway);
        Assert.Equal("paid", pay.Last.GetProperty("status").GetString());
        Assert.Equal((StatusCode.Aborted, "stale"), await Refused(() => book.TakeAsync(new() { OrderId = order.Id, Step = TakeRequest.Types.Step.Ship, ExpectedVersion = 1 }, cancellationToken: Cancel)));
        Assert.Equal((StatusCode.FailedPrecondition, "wrong-state"), await Refused(() => book.TakeAsync(new() { OrderId = order.Id, Step = TakeRequest.Types.Step.Complete }, cancellationToken: Cancel)));
        Assert.Equal((StatusCode.NotFound, "not-found"), await Refused(() => book.ShowAsync(new() { OrderId = "nosuch" }, cancellationToken: Cancel)));
        Assert.Equal(3, (await book.TakeAsync(new() { OrderId = order.Id, Step = TakeRequest.Types.Step.Ship, ExpectedVersion = 2 }, cancellationToken: Cancel)).Version);

        using var shown = await _http.GetAsync(new Uri($"http://{_place.Http}/api/orders/{order.Id}"), Cancel);
        Assert.Equal("\"3\"", shown.Headers.ETag?.ToString());
        var list = await book.ListAsync(new() { Customer = "ann", Status = "shipped", Take = 1 }, cancellationToken: Cancel);
        Assert.Equal((order.Id, ""), (list.Orders.Single().Id, list.After));
        await using var ledger = await ConsoleProcess.Run("ledger", "--json", "--gateway", Gateway);
        Assert.Equal(0, await ledger.Exit);
    }

    [Fact]
    public async Task WhereThereAreApiKeysGrpcNeedsOneAndAKeyForWhatIsDoneOnce()
    {
        string writer, reader;
        await using (var before = await SiloProcess.StartReady(_place, FirstStart))
        {
            writer = await ApiKey("shop", "writer");
            reader = await ApiKey("reports", "reader");
        }

        await using var silo = await SiloProcess.StartReady(_place, FirstStart);
        using var channel = GrpcChannel.ForAddress($"http://{_place.Grpc}");
        var book = new OrderBook.OrderBookClient(channel);
        var asked = new PlaceRequest { Customer = "ann", Currency = "EUR", Lines = { new OrderState.Types.Line { Sku = "tea", Quantity = 2, Price = 450 } } };

        Assert.Equal(StatusCode.Unauthenticated, (await Refused(() => book.PlaceAsync(asked, Key("k"), cancellationToken: Cancel))).Code);
        Assert.Equal(StatusCode.PermissionDenied, (await Refused(() => book.PlaceAsync(asked, Key("k", reader), cancellationToken: Cancel))).Code);
        Assert.Equal(StatusCode.InvalidArgument, (await Refused(() => book.PlaceAsync(asked, Key(null, writer), cancellationToken: Cancel))).Code);
        var order = await book.PlaceAsync(asked, Key("k", writer), cancellationToken: Cancel);
        Assert.Equal(order, await book.ShowAsync(new() { OrderId = order.Id }, Key(null, reader), cancellationToken: Cancel));
    }

    private static Metadata Key(string? key, string? apiKey = null)
    {
        var headers = new Metadata();
        if (key is not null)
        {
            headers.Add("idempotency-key", key);
        }

        if (apiKey is not null)
        {
            headers.Add("authorization", $"Bearer {apiKey}");
        }

        return headers;
    }

    private static async Task<(StatusCode Code, string? Word)> Refused(Func<AsyncUnaryCall<OrderState>> ask)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await ask());
        return (refused.StatusCode, refused.Trailers.GetValue(OrderBookService.Refusal));
    }

    private async Task<string> ApiKey(string name, string role)
    {
        await using var console = await ConsoleProcess.Run("keys", "add", name, "--role", role, "--gateway", Gateway);
        return Assert.Single(console.Output);
    }
}
