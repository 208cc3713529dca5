using Microsoft.Extensions.DependencyInjection;
using Silo.Logs;
using Unit.Client;
using Xunit;

namespace Unit.Silo;

public sealed class RuleRoutesTests : IAsyncLifetime
{
    private readonly ClusterInMemory _cluster = new();
    private DoorsInMemory _doors = null!;

    public async ValueTask InitializeAsync() =>
        _doors = await DoorsInMemory.Open(
            app => app.MapLogRules(),
            add: services => services.AddSingleton<Orleans.IGrainFactory>(new GrainsInMemory(_cluster))
        );

    public async ValueTask DisposeAsync() => await _doors.DisposeAsync();

    [Fact]
    public async Task RulesAreAddedListedAndRemoved()
    {
        Assert.Equal(
            (201, """{"number":1,"rule":"a => drop","revision":1}"""),
            Of(await _doors.Post("/api/logs/rules", """{"rule":"a => drop"}"""))
        );
        Assert.Equal(
            (201, """{"number":1,"rule":"b => drop","revision":2}"""),
            Of(await _doors.Post("/api/logs/rules", """{"rule":"b => drop","at":1}"""))
        );
        Assert.Equal(
            (200, """{"revision":2,"rules":[{"number":1,"rule":"b => drop"},{"number":2,"rule":"a => drop"}]}"""),
            Of(await _doors.Get("/api/logs/rules"))
        );
        Assert.Equal(409, (await _doors.Send(HttpMethod.Delete, "/api/logs/rules/1?revision=1")).Status);
        Assert.Equal(
            (200, """{"number":1,"rule":"b => drop","revision":3}"""),
            Of(await _doors.Send(HttpMethod.Delete, "/api/logs/rules/1?revision=2"))
        );
        Assert.Equal(404, (await _doors.Send(HttpMethod.Delete, "/api/logs/rules/7")).Status);
    }

    [Fact]
    public async Task AWrongRuleIsRefusedWithItsColumn()
    {
        var answer = await _doors.Post("/api/logs/rules", """{"rule":"a => vanish"}""");

        Assert.Equal(400, answer.Status);
        Assert.Contains("column 6: An action is keep, drop", answer.Problem.Item3, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARuleIsTried()
    {
        _cluster.Rules.Tested = new(1, 2, 1, IsWhole: true, 1, 0, 0, 0, []);

        Assert.Equal(
            (200, """{"total":2,"matching":1,"tested":1,"isWhole":true,"filtered":1,"sampled":0,"changed":0,"routed":0,"examples":[]}"""),
            Of(await _doors.Post("/api/logs/rules/test", """{"rule":"a => drop","since":"15m"}"""))
        );
        Assert.Equal(TimeSpan.FromMinutes(15), _cluster.Rules.Asked);
        Assert.Equal(400, (await _doors.Post("/api/logs/rules/test", """{"rule":"a => drop","since":"long ago"}""")).Status);
    }

    private static (int, string) Of(DoorsInMemory.Answer answer) => (answer.Status, answer.Body);
}
