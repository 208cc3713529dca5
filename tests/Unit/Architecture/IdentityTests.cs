using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Metadata;
using Xunit;

namespace Unit.Architecture;

/// <summary>
/// What the store and the other silos know a grain and its state by: <c>tests/Data/identities.txt</c>. A class may be renamed or moved;
/// a line of that file may not change, because rows and reminders are kept under it, and silos of two versions work in one cluster.
/// </summary>
public sealed class IdentityTests
{
    private static readonly Assembly[] s_product = [typeof(Grains.Clocks).Assembly, typeof(global::Silo.StartUp.About).Assembly];

    private static Type[] GrainClasses =>
        [
            .. s_product
                .SelectMany(assembly => assembly.GetTypes())
                .Where(type => type is { IsAbstract: false } && type.IsAssignableTo(typeof(Grain))),
        ];

    private static IEnumerable<(PersistentStateAttribute State, Type Type)> States =>
        from grain in GrainClasses
        from constructor in grain.GetConstructors()
        from parameter in constructor.GetParameters()
        let state = parameter.GetCustomAttribute<PersistentStateAttribute>()
        where state is not null
        select (state, parameter.ParameterType.GetGenericArguments()[0]);

    [Fact]
    public void EveryGrainAndStateHasTheIdentityThatIsOnTheList()
    {
        using var host = Host.CreateApplicationBuilder().UseOrleans(silo => silo.UseLocalhostClustering()).Build();
        var resolver = host.Services.GetRequiredService<GrainTypeResolver>();
        string[] found =
        [
            .. GrainClasses.Select(grain => $"grain {resolver.GetGrainType(grain)}"),
            .. States.Select(state =>
                $"state {state.State.StateName} in {state.State.StorageName} as {state.Type.GetCustomAttribute<AliasAttribute>()?.Alias}"
            ),
        ];

        var listed = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Data", "identities.txt"))
            .Where(line => line is not ("" or ['#', ..]));
        Assert.Equal(listed, found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void NoGrainTakesItsIdentityFromTheNameOfItsClass() =>
        Assert.DoesNotContain(GrainClasses, grain => !grain.IsDefined(typeof(GrainTypeAttribute), inherit: false));

    [Fact]
    public void NoStoredStateTakesItsIdentityFromTheNameOfItsClass() =>
        Assert.DoesNotContain(States, state => !state.Type.IsDefined(typeof(AliasAttribute), inherit: false));
}
