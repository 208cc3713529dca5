using Grains;
using Grains.Books;
using Grains.Interfaces.Logs;
using Grains.Logs;
using Grains.Logs.Intake;
using Grains.Logs.Reading;
using Grains.Logs.Rows;
using Grains.Logs.Rules;
using Grains.Logs.Segments;
using Grains.Logs.Shards;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Silo.Cluster;
using Silo.Endpoints;
using Silo.Settings;
using Silo.Storage;

namespace Silo.Logs;

/// <summary>What the log pipeline needs of the silo.</summary>
public static class LogsHosting
{
    public static void AddLogs(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<LogsOptions>(builder.Configuration);
        services.AddStoredCount<LogsOptions>($"{LogsOptions.Section}:{nameof(LogsOptions.Shards)}", logs => logs.Shards);
        services.AddSingleton(provider =>
            Of(provider.GetRequiredService<IOptions<LogsOptions>>().Value, provider.GetRequiredService<TimeProvider>())
        );
        services.AddSingleton<UnreadableSegments>();
        services.AddSingleton<LogsMetrics>();
        services.AddSingleton<ILogIntake, LogIntake>();
        services.AddSingleton(provider => new LogShardSet(provider.GetRequiredService<IOptions<LogsOptions>>().Value.Shards, shard =>
            provider.GetRequiredService<IGrainFactory>().GetGrain<ILogBatchGrain>(shard)
        ));
        services.AddSingleton(provider => new CurrentRules(
            () => provider.GetRequiredService<IGrainFactory>().GetGrain<ILogRulesGrain>(0),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredKeyedService<TimeProvider>(Clocks.Guards),
            provider.GetRequiredService<Func<double>>()
        ));
        services.TryAddSingleton<Func<double>>(Random.Shared.NextDouble);
        if (builder.IsFront())
        {
            return; // It hands in what it decodes; shards and queries are in silos.
        }

        builder.UseOrleans(silo => silo.AddStoredGrainStorage(builder.GetStorageKind(), RuleList.Storage, LogTable.Name));
        services.AddSingleton<MergeSlot>();
        services.AddSingleton<IAccountSource, LogsAccounts>();
        services.AddSingleton<IWakeUp, LogShards>();
        services.AddSingleton(provider => new CrawlLog(service => new LogFeeder(
            service,
            Environment.MachineName,
            provider.GetRequiredService<ILogIntake>,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredKeyedService<TimeProvider>(Clocks.Guards)
        )));
        services.AddHostedService(provider => new FeederService(provider.GetRequiredService<CrawlLog>().Feeder));
        if (builder.Configuration.GetSection(LogsOptions.Section).Get<LogsOptions>() is { Own: true })
        {
            services.AddSingleton<OwnLogs>();
            services.AddSingleton<ILoggerProvider>(provider => provider.GetRequiredService<OwnLogs>());
            services.AddHostedService(provider => provider.GetRequiredService<OwnLogs>());
        }
    }

    private static Admission Of(LogsOptions logs, TimeProvider clock) => new(logs.BufferBytes, logs.ServiceShare, clock);
}
