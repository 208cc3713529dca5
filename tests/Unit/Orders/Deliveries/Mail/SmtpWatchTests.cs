using System.Text;
using Grains.Orders.Deliveries.Mail;
using Xunit;

namespace Unit.Orders.Deliveries.Mail;

public sealed class SmtpWatchTests
{
    [Theory]
    [InlineData("Text\r\n.\r\n", true)]
    [InlineData(".\r\n", true)]
    [InlineData("a\r\r\n.\r\n", true)]
    [InlineData("a\r\n\r\n.\r\n", true)]
    [InlineData("a\r\n.\r\r\n.\r\n", true)]
    [InlineData("a\r\n..\r\nb\r\n", false)]
    [InlineData("a.\r\n", false)]
    [InlineData("a\r\n.\r", false)]
    [InlineData("a\n.\n", false)]
    public void TheFinalDotIsSeenHoweverTheMessageIsDivided(string message, bool isSeen)
    {
        var bytes = Encoding.ASCII.GetBytes(message);
        for (var size = 1; size <= bytes.Length; size++)
        {
            using var watch = new SmtpWatch();
            watch.Begin();
            Server(watch, "354 go on\r\n");
            for (var from = 0; from < bytes.Length; from += size)
            {
                Assert.False(watch.AfterDot);
                watch.LogClient(bytes, from, Math.Min(size, bytes.Length - from));
            }

            Assert.Equal(isSeen, watch.AfterDot);
        }
    }

    [Fact]
    public void ADotBeforeTheServerAskedForTheMessageIsNone()
    {
        using var watch = new SmtpWatch();
        watch.Begin();
        var bytes = "\r\n.\r\n"u8.ToArray();
        watch.LogClient(bytes, 0, bytes.Length);

        Assert.Equal((false, false), (watch.AfterDot, watch.HasBegun));
    }

    private static void Server(SmtpWatch watch, string line)
    {
        var bytes = Encoding.ASCII.GetBytes(line);
        watch.LogServer(bytes, 0, bytes.Length);
    }
}
