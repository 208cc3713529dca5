using Silo.Page.Sessions;
using Xunit;

namespace Unit.Silo.Page;

public sealed class LoginRoutesTests
{
    [Theory]
    [InlineData("/crawls?show=urls", "/crawls?show=urls")]
    [InlineData("//evil.example/", "/")]
    [InlineData("/\\evil.example/", "/")]
    [InlineData("https://evil.example/", "/")]
    [InlineData("/\r\nSet-Cookie: a", "/")]
    [InlineData(null, "/")]
    public void ALoginLeadsToThisSiteAlone(string? asked, string leadsTo) => Assert.Equal(leadsTo, LoginRoutes.Local(asked));
}
