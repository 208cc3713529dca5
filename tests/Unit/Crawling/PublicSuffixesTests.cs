using Grains.Crawling.Urls;
using Xunit;

namespace Unit.Crawling;

public sealed class PublicSuffixesTests
{
    public static TheoryData<string, string> Rows()
    {
        var rows = new TheoryData<string, string>();
        foreach (
            var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Data", "public-suffixes.tsv"))
                .Where(line => line.Length > 0 && line[0] != '#')
        )
        {
            var columns = line.Split('\t');
            rows.Add(columns[0], columns[1]);
        }

        return rows;
    }

    /// <summary>The list's own cases; names beyond ASCII and in capitals come here in canonical form.</summary>
    [Theory]
    [MemberData(nameof(Rows))]
    public void ARegistrableDomainIsWhatTheListsOwnCasesSay(string host, string domain) =>
        Assert.Equal(domain.Length == 0 ? null : Canonical(domain), PublicSuffixes.RegistrableDomain(Canonical(host)));

    [Theory]
    [InlineData("localhost", "localhost")]
    [InlineData("10.0.0.1", "10.0.0.1")]
    [InlineData("[::1]", "[::1]")]
    [InlineData("co.uk", "co.uk")]
    [InlineData("a.b.example.org", "example.org")]
    public void AHostWithoutARegistrableDomainStandsForItself(string host, string domain) =>
        Assert.Equal(domain, PublicSuffixes.DomainOf(host));

    [Fact]
    public void TheListHasADay() => Assert.Equal("2026-08-19", PublicSuffixes.Version);

    private static string Canonical(string host)
    {
        Assert.True(CanonicalUrl.TryParse($"http://{host}/", null, out var url));
        return url.Host;
    }
}
