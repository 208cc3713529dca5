using Grains.Crawling.Pages;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

public sealed class FetchVerdictTests
{
    [Theory]
    [InlineData(200, FetchResult.Answered, null)]
    [InlineData(301, FetchResult.Answered, null)]
    [InlineData(304, FetchResult.Answered, null)]
    [InlineData(404, FetchResult.Answered, null)]
    [InlineData(410, FetchResult.Answered, null)]
    [InlineData(408, FetchResult.Temporary, "http-408")]
    [InlineData(425, FetchResult.Temporary, "http-425")]
    [InlineData(429, FetchResult.Temporary, "http-429")]
    [InlineData(500, FetchResult.Temporary, "http-500")]
    [InlineData(501, FetchResult.Answered, null)]
    [InlineData(502, FetchResult.Temporary, "http-502")]
    [InlineData(503, FetchResult.Temporary, "http-503")]
    [InlineData(504, FetchResult.Temporary, "http-504")]
    [InlineData(505, FetchResult.Answered, null)]
    [InlineData(599, FetchResult.Temporary, "http-599")]
    [InlineData(600, FetchResult.Answered, null)]
    public void AStatusDecides(int status, FetchResult result, string? reason) =>
        Assert.Equal(new(result, reason), FetchVerdict.Of(new() { Status = status }));

    [Theory]
    [InlineData(FetchFailure.Timeout, FetchResult.Temporary, "timeout")]
    [InlineData(FetchFailure.Unreachable, FetchResult.Temporary, "unreachable")]
    [InlineData(FetchFailure.Tls, FetchResult.Permanent, "tls")]
    [InlineData(FetchFailure.PrivateAddress, FetchResult.Permanent, "private-address")]
    [InlineData(FetchFailure.BadHttp, FetchResult.Permanent, "bad-http")]
    [InlineData(FetchFailure.TooLongHeaders, FetchResult.Permanent, "too-long-headers")]
    [InlineData(FetchFailure.BadUrl, FetchResult.Permanent, "bad-url")]
    [InlineData(FetchFailure.Proxy, FetchResult.Temporary, "proxy")]
    public void AFailureDecides(FetchFailure failure, FetchResult result, string reason) =>
        Assert.Equal(new(result, reason), FetchVerdict.Of(PageFetch.Failed(failure, "It failed.", TimeSpan.Zero)));

    [Fact]
    public void EveryWayToFailHasAVerdict() =>
        Assert.All(Enum.GetValues<FetchFailure>(), failure => FetchVerdict.Of(new() { Failure = failure }));
}
