using Client.Logs;
using Xunit;

namespace Unit.Client;

public sealed class RotatedNameTests
{
    [Theory]
    [InlineData("app.log", "app.log.1")]
    [InlineData("app.log", "app.log.1.gz")]
    [InlineData("app.log", "app.1.log")]
    [InlineData("app.log", "app.log-20261130")]
    [InlineData("app.log", "app.log-20261130-1764460800.gz")]
    [InlineData("app.log", "app-2026-11-30.log.gz")]
    [InlineData("app.log", "app20261130_001.log")]
    [InlineData("app.log", "app.log.2026-11-30T10_00.xz")]
    [InlineData("messages", "messages.1")]
    [InlineData("messages", "messages-20261130.gz")]
    public void ANameThatARotationLeavesIsKnown(string file, string name) => Assert.NotNull(RotatedName.Of(file, name));

    [Theory]
    [InlineData("app.log", "app.log")]
    [InlineData("app.log", "app.log.gz")]
    [InlineData("app.log", "app.log.bak")]
    [InlineData("app.log", "app-errors.log")]
    [InlineData("app.log", "application.log.1")]
    [InlineData("messages", "messages-of-the-day")]
    public void AnyOtherNameIsNot(string file, string name) => Assert.Null(RotatedName.Of(file, name));

    [Theory]
    [InlineData("app.log.1", "app.log.2")]
    [InlineData("app.log.9", "app.log.10.gz")]
    [InlineData("app.log-20261201", "app.log-20261130.gz")]
    [InlineData("app.log-20261130-1764460801", "app.log-20261130-1764460800")]
    [InlineData("app20261130_010.log", "app20261130_009.log")]
    [InlineData("app-2026-12-01.log", "app-2026-11-30.log")]
    public void TheLowerCountAndTheLaterDateIsTheNewer(string newer, string older)
    {
        Assert.True(Of(newer).IsNewerThan(Of(older)));
        Assert.False(Of(older).IsNewerThan(Of(newer)));
    }

    [Fact]
    public void ACountAndADateTellNothingOfEachOther()
    {
        Assert.False(Of("app.log.1").IsNewerThan(Of("app.log-20261130")));
        Assert.False(Of("app.log-20261130").IsNewerThan(Of("app.log.1")));
    }

    private static RotatedName Of(string name) => RotatedName.Of("app.log", name)!;
}
