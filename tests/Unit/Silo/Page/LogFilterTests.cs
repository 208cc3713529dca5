using System.Text.Json;
using Grains.Logs.Queries;
using Silo.Page.Logs;
using Xunit;

namespace Unit.Silo.Page;

public sealed class LogFilterTests
{
    [Theory]
    [InlineData("plain")]
    [InlineData("with \"quotes\" and \\ backslashes")]
    [InlineData("two\r\nlines\tand a tab")]
    [InlineData("OR")]
    [InlineData("")]
    public void AnyValueMakesAQueryThatCanBeRead(string value)
    {
        Assert.True(LogQuery.TryParse(LogFilter.Field("severity>=warn", "service", value), out _, out _));
        Assert.True(LogQuery.TryParse(LogFilter.Attribute("", new("a name: odd", value, JsonValueKind.String))!, out _, out _));
    }

    [Fact]
    public void AnAlternativeIsHeldTogether() => Assert.Equal("(a OR b) service:\"web\"", LogFilter.Field("a OR b", "service", "web"));

    [Fact]
    public void AnAttributeThatIsNamedLikeAFieldIsAskedForAsAnAttribute() =>
        Assert.Equal("\"host\":\"x\"", LogFilter.Attribute("", new("host", "x", JsonValueKind.String)));

    [Fact]
    public void NoTestAsksForAList() => Assert.Null(LogFilter.Attribute("", new("tags", "[1]", JsonValueKind.Array)));
}
