using System.Threading.Channels;
using Doubles.Storage;
using Grains.Interfaces.Keys;
using Grains.Orders.Deliveries.Mail;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Silo.Orders;
using Unit.Client;
using Xunit;

namespace Unit.Silo;

public sealed class MailRoutesTests : IAsyncLifetime
{
    private readonly ClusterInMemory _cluster = new();
    private readonly TableStoreInMemory _store = new();
    private readonly LinesInMemory _log = new();
    private DoorsInMemory _doors = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        _doors = await DoorsInMemory.Open(
            app =>
            {
                app.MapOrders();
                app.MapUnsubscribe();
            },
            store: _store,
            add: services => services.AddSingleton(_cluster.Orders).AddSingleton<ILoggerProvider>(_log)
        );

    public async ValueTask DisposeAsync() => await _doors.DisposeAsync();

    [Fact]
    public async Task WhatACustomerWantsIsPutAndGot()
    {
        Assert.Equal(
            """{"customer":"ann & bob","mail":null}""",
            (await _doors.Get("/api/orders/preferences?customer=ann%20%26%20bob")).Body
        );
        var put = await Put("""{"customer":"ann & bob","mail":["shipped","order.paid"]}""");
        Assert.Equal((200, """{"customer":"ann & bob","mail":["order.paid","order.shipped"]}"""), (put.Status, put.Body));
        Assert.Equal(put.Body, (await _doors.Get("/api/orders/preferences?customer=ann%20%26%20bob")).Body);
        Assert.Equal("""{"customer":"ann & bob","mail":[]}""", (await Put("""{"customer":"ann & bob","mail":[]}""")).Body);
        Assert.Equal("""{"customer":"ann & bob","mail":null}""", (await Put("""{"customer":"ann & bob","mail":null}""")).Body);
    }

    [Fact]
    public async Task WhatIsWrongIsNamed()
    {
        Assert.Equal(400, (await _doors.Get("/api/orders/preferences")).Status);
        Assert.Equal(
            [
                (
                    "#/mail",
                    "\"lost\" is no type of change; there are order.placed, order.paid, order.shipped, order.completed, "
                        + "order.cancelled, order.refunded."
                ),
            ],
            (await Put("""{"customer":"ann","mail":["lost"]}""")).Faults
        );
        Assert.Equal(
            [("#/customer", "\"customer\" is whose, by the name that the orders have: 1 to 200 characters.")],
            (await Put("""{"customer":"","mail":null}""")).Faults
        );
        Assert.Equal(["take", "after"], (await _doors.Get("/api/orders/suppressions?take=0&after=x")).Faults.Select(fault => fault.Item1));
        Assert.Equal(400, (await _doors.Get("/api/orders/suppressions?address=a@b.c&take=1")).Status);
        Assert.Equal(400, (await _doors.Send(HttpMethod.Delete, "/api/orders/suppressions")).Status);
    }

    [Fact]
    public async Task SuppressionsAreListedInPagesFoundAndLifted()
    {
        foreach (var name in "abc")
        {
            await _cluster.MailKept.Bounced($"{name}@example.org", "1", MailOutcome.Answered(SmtpStage.Recipient, 550, "unknown"), Cancel);
            await _cluster.MailKept.Bounced($"{name}@example.org", "2", MailOutcome.Answered(SmtpStage.Recipient, 550, "unknown"), Cancel);
        }

        var first = (await _doors.Get("/api/orders/suppressions?take=2")).Json;
        var second = (await _doors.Get($"/api/orders/suppressions?take=2&after={first.GetProperty("after")}")).Json;
        Assert.Equal(
            ["a…@example.org", "b…@example.org", "c…@example.org"],
            first
                .GetProperty("suppressions")
                .EnumerateArray()
                .Concat(second.GetProperty("suppressions").EnumerateArray())
                .Select(one => one.GetProperty("address").GetString())
                .Order(StringComparer.Ordinal)
        );
        Assert.Equal(System.Text.Json.JsonValueKind.Null, second.GetProperty("after").ValueKind);

        Assert.Single(
            (await _doors.Get("/api/orders/suppressions?address=A@example.org")).Json.GetProperty("suppressions").EnumerateArray()
        );
        Assert.Equal(204, (await _doors.Send(HttpMethod.Delete, "/api/orders/suppressions?address=a@example.org")).Status);
        Assert.Equal(
            (404, "application/problem+json", "Mail goes to this address already."),
            (await _doors.Send(HttpMethod.Delete, "/api/orders/suppressions?address=a@example.org")).Problem
        );
        Assert.Empty(
            (await _doors.Get("/api/orders/suppressions?address=a@example.org")).Json.GetProperty("suppressions").EnumerateArray()
        );
    }

    [Fact]
    public async Task ALinkNeedsNoKeyAndOnlyItsButtonChangesAnything()
    {
        await DoorsInMemory.Key(_store, "shop", ApiRole.Reader); // From now on the rest needs one.
        Assert.Equal(401, (await _doors.Get("/api/orders/preferences?customer=ann")).Status);
        var token = UnsubscribeToken.Make(await _cluster.MailKept.UnsubscribeKey(Cancel), "ann");

        var page = await _doors.Get($"/unsubscribe/{token}");
        Assert.Equal(
            (200, "text/html", "no-store", "no-referrer"),
            (page.Status, page.Type, page.Header("Cache-Control"), page.Header("Referrer-Policy"))
        );
        Assert.Contains("<form method=\"post\"><button>No more mail</button></form>", page.Body, StringComparison.Ordinal);
        Assert.Null((await _cluster.Orders.Mail.Preferences("ann", Cancel)).Types);

        using var oneClick = new FormUrlEncodedContent([new("List-Unsubscribe", "One-Click")]);
        var done = await _doors.Send(HttpMethod.Post, $"/unsubscribe/{token}", content: oneClick);
        Assert.Equal(
            (200, true),
            (done.Status, done.Body.Contains("You will get no more mail about your orders.", StringComparison.Ordinal))
        );
        Assert.Empty((await _cluster.Orders.Mail.Preferences("ann", Cancel)).Types!.Value);
        // When the request is over: the caller may have had its answer before.
        var lines = await _log.UntilSaid("POST /unsubscribe/{token} by -: 200");
        Assert.DoesNotContain(lines, line =>
            line.StartsWith("POST", StringComparison.Ordinal) && line.Contains(token, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("x")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("%3Cscript%3E")]
    public async Task AnUnknownLinkSaysSo(string token)
    {
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post])
        {
            var answer = await _doors.Send(method, $"/unsubscribe/{token}");
            Assert.Equal((400, "text/html"), (answer.Status, answer.Type));
            Assert.Contains("<h1>This link is not known</h1>", answer.Body, StringComparison.Ordinal);
            Assert.DoesNotContain("script", answer.Body, StringComparison.Ordinal);
        }
    }

    private Task<DoorsInMemory.Answer> Put(string json) =>
        _doors.Send(
            HttpMethod.Put,
            "/api/orders/preferences",
            content: new StringContent(json, System.Text.Encoding.UTF8, "application/json")
        );

    /// <summary>What was logged.</summary>
    private sealed class LinesInMemory : ILoggerProvider, ILogger
    {
        private readonly Channel<string> _said = Channel.CreateUnbounded<string>();

        /// <summary>All lines so far, once one of them starts so.</summary>
        public async Task<List<string>> UntilSaid(string start)
        {
            List<string> lines = [];
            do
            {
                lines.Add(await _said.Reader.ReadAsync(Cancel));
            } while (!lines[^1].StartsWith(start, StringComparison.Ordinal));

            while (_said.Reader.TryRead(out var more))
            {
                lines.Add(more);
            }

            return lines;
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => _said.Writer.TryWrite(formatter(state, exception));

        public void Dispose() { }
    }
}
