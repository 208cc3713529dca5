using Grains.Crawling.Frontier;
using Xunit;

namespace Unit.Crawling;

public sealed class FingerprintSetTests
{
    [Fact]
    public void ATextIsNewOnce()
    {
        var set = new FingerprintSet(key: 1);

        Assert.True(set.Add("http://a/"));
        Assert.False(set.Add("http://a/"));
        Assert.True(set.Contains("http://a/"));
        Assert.False(set.Contains("http://a/b"));
        Assert.Equal(1, set.Count);
    }

    [Fact]
    public void NothingIsForgottenAndNoMoreThanSixteenBytesATextAreHeldAtAnySize()
    {
        var set = new FingerprintSet(key: 7);
        for (var i = 1; i <= 200_000; i++)
        {
            Assert.True(set.Add($"http://example.org/{i}"));
            if (i >= 2_000 && set.Bytes > 16L * i)
            {
                Assert.Fail($"{set.Bytes} bytes for {i} texts.");
            }
        }

        Assert.Equal(200_000, set.Count);
        for (var i = 1; i <= 200_000; i++)
        {
            Assert.True(set.Contains($"http://example.org/{i}"));
        }
    }
}
