using System.Text;
using Grains.Interfaces.Orders;
using Grains.Orders.Deliveries.Webhooks;
using Xunit;

namespace Unit.Orders.Deliveries.Webhooks;

public sealed class WebhookMessageTests
{
    [Fact]
    public void AChangeIsTypeTimestampAndData()
    {
        var order = Given.Placed() with
        {
            Version = 2,
            Status = OrderStatus.Paid,
            UpdatedAt = Given.Start.AddMinutes(1),
            Notes = "Grüße \"an\" <alle>",
        };
        var message = WebhookMessage.Of(new(7, order, OrderStatus.Placed, Given.Start));

        Assert.Equal($"msg_{Given.Id()}_2", message.Id);
        Assert.Equal("order.paid", message.Type);
        Assert.Equal(
            $$$"""
            {"type":"order.paid","timestamp":"2026-03-01T12:01:00Z","data":{"id":"{{{Given.Id()}}}","version":2,"status":"paid","customer":"ann","currency":"EUR","lines":[{"sku":"tea","quantity":2,"price":450}],"total":900,"notes":"Grüße \"an\" <alle>","email":null,"language":null,"payBefore":null,"placedAt":"2026-03-01T12:00:00+00:00","updatedAt":"2026-03-01T12:01:00+00:00","reason":null,"previousStatus":"placed"}}
            """,
            Encoding.UTF8.GetString(message.Body.Span)
        );
    }

    [Fact]
    public void EveryTryHasTheSameIdAndTheSameBytes()
    {
        var change = new OrderChange(1, Given.Placed(), null, null);

        Assert.Equal(WebhookMessage.Of(change).Id, WebhookMessage.Of(change).Id);
        Assert.Equal(WebhookMessage.Of(change).Body.ToArray(), WebhookMessage.Of(change).Body.ToArray());
    }

    [Fact]
    public void NoIdHasAFullStopWhichWouldDivideWhatIsSigned() => Assert.Matches("^msg_[0-9a-z_-]+$", WebhookMessage.Named(Given.Id(), 12));

    [Fact]
    public void ATestIsAMessageOfItsOwnType()
    {
        var message = WebhookMessage.Test(Guid.Empty, Given.Start);

        Assert.Equal("msg_test_00000000000000000000000000000000", message.Id);
        Assert.Equal(
            """{"type":"webhook.test","timestamp":"2026-03-01T12:00:00Z","data":{"note":"A test: no order has changed."}}""",
            Encoding.UTF8.GetString(message.Body.Span)
        );
    }
}

public sealed class WebhookOutcomeTests
{
    [Theory]
    [InlineData(200, WebhookVerdict.Delivered, "Answered 200.")]
    [InlineData(299, WebhookVerdict.Delivered, "Answered 299.")]
    [InlineData(
        301,
        WebhookVerdict.Retry,
        "Answered 301, a redirect: redirects are not followed. Change the endpoint's URL to where it leads."
    )]
    [InlineData(
        308,
        WebhookVerdict.Retry,
        "Answered 308, a redirect: redirects are not followed. Change the endpoint's URL to where it leads."
    )]
    [InlineData(400, WebhookVerdict.Retry, "Answered 400.")]
    [InlineData(404, WebhookVerdict.Retry, "Answered 404.")]
    [InlineData(410, WebhookVerdict.Disable, "Answered 410: the endpoint says that it is gone for good.")]
    [InlineData(429, WebhookVerdict.Throttled, "Answered 429 and asked to wait for 30 s.")]
    [InlineData(500, WebhookVerdict.Retry, "Answered 500.")]
    [InlineData(502, WebhookVerdict.Throttled, "Answered 502 and asked to wait for 30 s.")]
    [InlineData(503, WebhookVerdict.Throttled, "Answered 503 and asked to wait for 30 s.")]
    [InlineData(504, WebhookVerdict.Throttled, "Answered 504 and asked to wait for 30 s.")]
    [InlineData(101, WebhookVerdict.Retry, "Answered 101.")]
    public void AStatusSaysWhatBecomesOfADelivery(int status, WebhookVerdict verdict, string detail) =>
        Assert.Equal(
            new WebhookOutcome(verdict, $"http-{status}", detail, status, status < 300 ? null : TimeSpan.FromSeconds(30)),
            WebhookOutcome.Answered(status, "30", Given.Start)
        );

    [Fact]
    public void WithoutRetryAfterTheScheduleDecidesAlone() => Assert.Null(WebhookOutcome.Answered(503, null, Given.Start).RetryAfter);
}
