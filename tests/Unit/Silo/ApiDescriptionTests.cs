using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace Unit.Silo;

/// <summary>What the description of the API says, of the whole silo as it is started.</summary>
public sealed partial class ApiDescriptionTests : IAsyncLifetime
{
    private JsonNode _document = null!;

    public async ValueTask InitializeAsync() => _document = JsonNode.Parse(await DescribedSilo.OpenApi())!;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private IEnumerable<(string Path, string Method, JsonNode Operation)> Operations =>
        from path in _document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        select (path.Key, operation.Key, operation.Value!);

    [Fact]
    public void EveryOperationHasANameOfItsOwn()
    {
        var names = Operations.Select(one => (string?)one.Operation["operationId"]).ToArray();

        Assert.NotEmpty(names);
        Assert.All(names, name => Assert.Matches(CamelCase(), name));
        Assert.Equal(names.Distinct(), names);
    }

    [Fact]
    public void NothingButTheApiIsDescribed() =>
        Assert.All(Operations, one => Assert.StartsWith("/api/", one.Path, StringComparison.Ordinal));

    [Fact]
    public void EveryOperationSaysWhatItDoesAndWhichKeyItNeeds()
    {
        var schemes = _document["components"]!["securitySchemes"]!.AsObject().Select(scheme => scheme.Key).ToArray();
        Assert.Equal(["bearer", "apiKey"], schemes);
        Assert.All(Operations, one =>
        {
            Assert.NotEmpty((string)one.Operation["summary"]!);
            var needs = one.Operation["security"]!.AsArray().Select(need => Assert.Single(need!.AsObject())).ToArray();
            Assert.Equal(schemes, needs.Select(need => need.Key));
            var role = Assert.Single(needs.Select(need => (string)Assert.Single(need.Value!.AsArray())!).Distinct());
            Assert.True(role is "reader" or "writer" or "operator", role);
        });
    }

    [Theory]
    [InlineData("listCrawls", "reader")]
    [InlineData("startCrawl", "writer")]
    [InlineData("addKey", "operator")]
    public void TheRoleIsTheOneOfTheRoute(string operation, string role) =>
        Assert.Equal(role, (string?)Operation(operation)["security"]![0]!["bearer"]![0]);

    [Fact]
    public void EveryRefusalIsAProblemAndEveryAnswerHasAType() =>
        Assert.All(
            from one in Operations
            from answer in one.Operation["responses"]!.AsObject()
            select (Name: $"{one.Method} {one.Path} {answer.Key}", Status: answer.Key, Content: answer.Value!["content"]?.AsObject()),
            answer =>
            {
                if (answer.Status is "204" or "304")
                {
                    Assert.Null(answer.Content);
                }
                else if (answer.Status[0] == '2')
                {
                    Assert.NotEmpty(answer.Content!);
                    Assert.All(answer.Content!, content => Assert.NotNull(content.Value!["schema"]));
                }
                else
                {
                    var problem = Assert.Single(answer.Content!);
                    Assert.Equal(
                        ("application/problem+json", "#/components/schemas/Problem"),
                        (problem.Key, (string?)problem.Value!["schema"]!["$ref"])
                    );
                }
            }
        );

    /// <summary>What the chain refuses goes with the rules of a route; what the route refuses is named there.</summary>
    [Theory]
    [InlineData("listCrawls", "200 400 401 403 429 500 503")]
    [InlineData("startCrawl", "201 400 401 403 413 415 429 500 503")]
    [InlineData("pauseCrawl", "200 400 401 403 404 409 429 500 503")]
    [InlineData("sendLogs", "200 400 401 403 408 413 415 429 500 503")]
    [InlineData("showOrder", "200 304 400 401 403 404 429 500 503")]
    [InlineData("payOrder", "200 400 401 403 404 409 412 422 429 500 503")]
    [InlineData("watchOrders", "200 400 401 403 410 429 500 503")]
    [InlineData("removeWebhook", "204 400 401 403 404 429 500 503")]
    public void AnOperationNamesAllThatItMayAnswer(string operation, string statuses) =>
        Assert.Equal(statuses.Split(' '), Operation(operation)["responses"]!.AsObject().Select(answer => answer.Key).Order());

    [Theory]
    [InlineData("watchOrders", "text/event-stream", "WatchForm")]
    [InlineData("followCrawl", "text/event-stream", "CrawlForm")]
    [InlineData("tailLogs", "text/event-stream", null)]
    [InlineData("exportCrawl", "application/x-ndjson", null)]
    [InlineData("exportCrawl", "application/warc", null)]
    public void AStreamIsReadAsBytesAndSaysWhatItsItemsAre(string operation, string type, string? item)
    {
        var schema = Operation(operation)["responses"]!["200"]!["content"]![type]!["schema"]!;
        Assert.Equal(("string", "binary"), ((string?)schema["type"], (string?)schema["format"]));
        Assert.Equal(item is null ? null : $"#/components/schemas/{item}", (string?)schema["contentSchema"]?["$ref"]);
    }

    [Fact]
    public void ANumberIsNoTextAndAnEnumIsItsWords()
    {
        var schemas = _document["components"]!["schemas"]!;
        Assert.Equal("integer", (string?)schemas["AccountForm"]!["properties"]!["in"]!["type"]);
        Assert.Equal(["host", "domain", "prefix", "any"], schemas["CrawlScope"]!["enum"]!.AsArray().Select(word => (string?)word));
        Assert.DoesNotContain("-?(?:0|", _document.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public void AParameterThatIsReadFromTextIsDescribedByWhatItMustBe()
    {
        Assert.Equal(
            ("integer", 1, 1000),
            Bounds("searchLogs", "limit") is var limit ? (limit.Type, limit.Least, Math.Min(limit.Most, 1000)) : default
        );
        Assert.Equal(["newest", "oldest"], Parameter("searchLogs", "order")["schema"]!["enum"]!.AsArray().Select(word => (string?)word));
        Assert.Equal(
            ["jsonl", "csv", "parquet", "warc"],
            Parameter("exportCrawl", "format")["schema"]!["enum"]!.AsArray().Select(word => (string?)word)
        );
        Assert.Equal("header", (string?)Parameter("payOrder", "If-Match")["in"]);
    }

    private (string? Type, int Least, int Most) Bounds(string operation, string parameter) =>
        Parameter(operation, parameter)["schema"]! is var schema
            ? ((string?)schema["type"], (int)schema["minimum"]!, (int)schema["maximum"]!)
            : default;

    private JsonNode Parameter(string operation, string name) =>
        Operation(operation)["parameters"]!.AsArray().Single(parameter => (string?)parameter!["name"] == name)!;

    private JsonNode Operation(string name) => Operations.Single(one => (string?)one.Operation["operationId"] == name).Operation;

    [GeneratedRegex("^[a-z]+([A-Z][a-z]*)*$")]
    private static partial Regex CamelCase();
}
