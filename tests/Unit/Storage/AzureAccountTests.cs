using Silo.Storage;
using Xunit;

namespace Unit.Storage;

public sealed class AzureAccountTests
{
    [Fact]
    public void AnAccountThatIsNamedHasItsUsualAddresses()
    {
        var options = new StorageOptions { Kind = StorageKind.Azure, AccountName = "things" };
        var account = AzureAccount.Of(options);

        Assert.Equal(new Uri("https://things.table.core.windows.net/"), account.Tables.Uri);
        Assert.Equal(new Uri("https://things.blob.core.windows.net/orleans"), account.Blobs.Uri);
        Assert.Equal("the storage account \"things\"", options.Place);
    }

    [Fact]
    public void TheDevelopmentAccountIsAzuriteOnItsUsualPorts()
    {
        var account = AzureAccount.Of("UseDevelopmentStorage=true");

        Assert.Equal(new Uri("http://127.0.0.1:10002/devstoreaccount1"), account.Tables.Uri);
        Assert.Equal(new Uri("http://127.0.0.1:10000/devstoreaccount1/orleans"), account.Blobs.Uri);
    }

    [Theory]
    [InlineData("DefaultEndpointsProtocol=https;AccountName=things;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net")]
    [InlineData(
        "TableEndpoint=https://things.table.core.windows.net/;BlobEndpoint=https://things.blob.core.windows.net/;SharedAccessSignature=sv=2024-01-01&sig=c2VjcmV0"
    )]
    public void WhereTheDataIsIsToldWithoutASecret(string connection)
    {
        var options = new StorageOptions { Kind = StorageKind.Azure, ConnectionString = connection };

        Assert.Empty(options.Problems());
        Assert.Equal("the storage account at https://things.table.core.windows.net/", options.Place);
    }
}
