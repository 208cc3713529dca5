using Grains;
using Grains.Logs;
using Grains.Logs.Reading;
using Grains.Logs.Rules;
using Grains.Logs.Sql;
using Grains.Logs.Tail;
using Grains.Storage;
using Microsoft.Extensions.Options;
using Silo.Endpoints;
using Silo.Settings;
using Silo.Storage;

namespace Silo.Logs;

/// <summary>What questions about stored records need of the silo.</summary>
public static class LogReadingHosting
{
    public static void AddLogReading(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<LogReadingOptions>(builder.Configuration);
        if (builder.IsFront())
        {
            return; // It asks grains.
        }

        services.AddSingleton(provider => new QueryPlaces(
            Options(provider).Queries,
            QueryPlaces.UsualPatience,
            provider.GetRequiredKeyedService<TimeProvider>(Clocks.Guards)
        ));
        services.AddSingleton(provider => new SegmentCache(
            provider.GetRequiredService<IBlobStore>(),
            CacheFolder(provider),
            Options(provider).CacheBytes
        ));
        services.AddSingleton<ISegmentSource, LogManifest>();
        services.AddSingleton<LogSearch>();
        services.AddSingleton<ISqlRunner>(provider =>
            ActivatorUtilities.CreateInstance<SqlProcesses>(
                provider,
                SqlProgram.OfThisProcess(),
                (Action<SqlProcessEnd>)provider.GetRequiredService<LogsMetrics>().OnSqlProcessEnded
            )
        );
        services.AddSingleton(provider =>
            ActivatorUtilities.CreateInstance<LogStatements>(
                provider,
                new QueryPlaces(
                    Options(provider).SqlProcesses,
                    QueryPlaces.UsualPatience,
                    provider.GetRequiredKeyedService<TimeProvider>(Clocks.Guards),
                    "Logs:SqlProcesses",
                    "statements of SQL"
                )
            )
        );
        services.AddSingleton<LogStats>();
        services.AddSingleton<LogTail>();
        services.AddSingleton<ILogSample, LogSamples>();
        services.AddHealthChecks().AddCheck<SegmentsReadable>("log-segments");
    }

    /// <summary>Several silos of one machine may have one data folder: each copies for itself.</summary>
    private static string CacheFolder(IServiceProvider provider) =>
        Path.Combine(
            provider.GetRequiredService<IOptions<StorageOptions>>().Value.FullPath,
            "log-cache",
            $"instance-{provider.GetRequiredService<IOptions<InstanceOptions>>().Value.Number}"
        );

    private static LogReadingOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<LogReadingOptions>>().Value;
}
