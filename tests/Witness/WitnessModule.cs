using Grains.Crawling;
using Grains.Logs;
using Grains.Logs.Reading;
using Microsoft.AspNetCore.Builder;
using Silo.Logs;
using Silo.StartUp;

namespace Witness;

/// <summary>The witnesses, and the settings of the systems that this silo lacks: a test gives every silo the same.</summary>
internal sealed class WitnessModule : ISiloModule
{
    public IEnumerable<Type> Settings =>
        [typeof(CrawlingOptions), typeof(LogsOptions), typeof(LogReadingOptions), typeof(LogEndpointsOptions)];

    public void AddServices(WebApplicationBuilder builder) =>
        builder.Services.AddWitnesses(
            Environment.GetEnvironmentVariable("WITNESS_FOLDER"),
            subscribes: Environment.GetEnvironmentVariable("WITNESS_SUBSCRIBES") != "false"
        );
}
