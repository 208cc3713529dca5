using Xunit;

namespace Unit.Client;

public sealed class ChainTests
{
    [Fact]
    public async Task BothChainsArePrintedInTheirOrder() =>
        Assert.Equal(
            [
                "   HTTP and gRPC",
                "1  one            does this",
                "2  another        does that",
                "   calls of grains",
                "1  third            does more",
            ],
            (await new ConsoleInMemory().Run("cluster", "chain")).Lines
        );

    [Fact]
    public async Task ForProgramsALinkIsOneObjectALine() =>
        Assert.Equal(
            [
                """{"chain":"http","name":"one","what":"does this"}""",
                """{"chain":"http","name":"another","what":"does that"}""",
                """{"chain":"grains","name":"third","what":"does more"}""",
            ],
            (await new ConsoleInMemory().Run("cluster", "chain", "--json")).Lines
        );
}
