using System.Collections.Immutable;
using Silo.Endpoints;
using Silo.Settings;
using Silo.StartUp;

namespace Silo.Launch;

/// <summary>The parts of one silo together, in the order in which they are listed.</summary>
public sealed class SiloModules(params IEnumerable<ISiloModule> modules)
{
    private readonly ImmutableArray<ISiloModule> _modules = [.. modules];

    /// <summary>The settings of all parts.</summary>
    public SettingsRegistry Settings => field ??= new(_modules.SelectMany(module => module.Settings));

    /// <summary>The ports of all parts. The settings are valid.</summary>
    public ListeningEndpoints Endpoints(IConfiguration configuration) =>
        new(
            _modules.SelectMany(module => module.Endpoints(configuration)),
            configuration.Read<ClusterOptions>(),
            configuration.Read<InstanceOptions>()
        );

    /// <summary>What is wrong with what was set, from whatever source, one sentence each; empty when the silo may start.</summary>
    public IReadOnlyList<string> Problems(IConfiguration configuration) =>
        SettingsCheck.Problems(configuration, Settings) is { Count: > 0 } problems
            ? problems
            : [.. Endpoints(configuration).Problems(), .. _modules.SelectMany(module => module.Problems(configuration))];

    public void AddServices(WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(Endpoints(builder.Configuration));
        foreach (var module in _modules)
        {
            module.AddServices(builder);
        }
    }

    public void MapRoutes(WebApplication app)
    {
        foreach (var module in _modules)
        {
            module.MapRoutes(app);
        }
    }
}
