using System.Diagnostics;
using Grains;
using Grains.Logs.Sql;
using Grains.Storage;
using Microsoft.Extensions.Options;
using Silo.Endpoints;
using Silo.Keys;
using Silo.Settings;
using Silo.StartUp;
using Silo.Storage;
using Silo.Storage.Backup;
using Silo.Telemetry;

namespace Silo.Launch;

/// <summary>From the command line to the exit code: reads settings, checks, starts, waits, stops, and says so in sentences.</summary>
public static partial class Launcher
{
    /// <param name="args">As they were typed.</param>
    /// <param name="modules">What the silo consists of.</param>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static Task<int> Run(string[] args, SiloModules modules) =>
        // Before anything of a silo is made or loaded: the process that runs users' SQL is this program too.
        SqlChild.IsAsked(args)
            ? Task.FromResult(SqlChild.Run())
            : RunSilo(args, modules);

    private static async Task<int> RunSilo(string[] args, SiloModules modules)
    {
        var line = CommandLine.Parse(args, modules.Settings);
        if (line.Help || line.Version)
        {
            Console.Out.WriteLine(
                line.Help
                    ? HelpText.For(Console.IsOutputRedirected ? HelpText.MinWidth : Console.WindowWidth, modules.Settings)
                    : About.Version
            );
            return ExitCodes.Stopped;
        }

        if (line.Problem is { } problem)
        {
            return Refuse([problem], ExitCodes.WrongSetting);
        }

        var builder = CreateBuilder(line);
        SettingsCheck.ReadDurations(builder.Configuration, modules.Settings);
        if (modules.Problems(builder.Configuration) is { Count: > 0 } problems)
        {
            return Refuse(problems, ExitCodes.WrongSetting);
        }

        OperatingSystemCalls.CreatePrivately();
        if (line.Restore is { } backup)
        {
            return Restore(backup, builder.Configuration.GetSection(StorageOptions.Section).Get<StorageOptions>() ?? new());
        }

        var endpoints = modules.Endpoints(builder.Configuration);
        var clusterId = builder.Configuration.Read<ClusterOptions>().Id;
        var unsaid = Say(builder.Configuration, TimeProvider.System, Banner.OfStart(endpoints, clusterId));
        modules.AddServices(builder);
        await using var app = builder.Build();
        try
        {
            Log(app, unsaid);
            await Run(app, modules);
            return ExitCodes.Stopped;
        }
        catch (Exception failure)
        {
            endpoints = app.Services.GetRequiredService<ListeningEndpoints>();
            var storage = app.Services.GetRequiredService<IOptions<StorageOptions>>().Value;
            return StartUpErrors.Explain(failure, endpoints, storage.Place) is { } explained
                ? Refuse([explained.Message], explained.ExitCode)
                : Refuse([$"The silo failed for a reason that it does not know: {failure}"], ExitCodes.Failed);
        }
    }

    private static int Restore(string backup, StorageOptions storage)
    {
        if (storage.Kind != StorageKind.Local)
        {
            return Refuse(["--restore makes a data folder on this machine, and Storage:Kind is not Local."], ExitCodes.WrongSetting);
        }

        try
        {
            var manifest = LocalRestore.Run(Path.GetFullPath(backup), storage.FullPath, CancellationToken.None);
            Console.Out.WriteLine(
                $"Restored backup {manifest.Id} of cluster {manifest.Cluster}, taken at {manifest.At:u}, into {storage.FullPath}. "
                    + "Start the silo without --restore."
            );
            return ExitCodes.Stopped;
        }
        catch (BackupRefusedException refused)
        {
            return Refuse([refused.Message], ExitCodes.Failed);
        }
    }

    /// <summary>A builder with the three sources of settings and the log.</summary>
    internal static WebApplicationBuilder CreateBuilder(CommandLine line)
    {
        // appsettings.json lies beside the program, wherever it is started from.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddInMemoryCollection(line.Values);
        builder.Logging.ClearProviders();
        builder.Logging.AddConsole(console =>
            console.FormatterName = IsJson(builder.Configuration) ? JsonFormatter.FormatterName : LineFormatter.FormatterName
        );
        builder.Logging.AddConsoleFormatter<JsonFormatter, Microsoft.Extensions.Logging.Console.ConsoleFormatterOptions>();
        builder.Logging.AddConsoleFormatter<LineFormatter, Microsoft.Extensions.Logging.Console.ConsoleFormatterOptions>();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.TryAddGuards();
        builder.Services.AddSingleton<IHostLifetime, SiloLifetime>();
        return builder;
    }

    private static async Task Run(WebApplication app, SiloModules modules)
    {
        var application = app.Services.GetRequiredService<IHostApplicationLifetime>();
        await StartUpChecks.Run(app.Services, application.ApplicationStopping);
        modules.MapRoutes(app); // Routes may need what the checks say is there.
        application.ApplicationStopping.Register(() =>
            Say(app, "Stopping: leaving the cluster, within 30 s. Ctrl-C again ends it at once.")
        );
        try
        {
            await app.StartAsync();
            await PrintBanner(app);
            await app.WaitForShutdownAsync();
        }
        catch (OperationCanceledException)
            when (application.ApplicationStopping.IsCancellationRequested && !application.ApplicationStarted.IsCancellationRequested)
        {
            // Asked to stop while it was starting.
            await Leave(app, application);
        }
        catch
        {
            // Its endpoints close before what they need is gone: a request that is under way is answered, and not cut off with a bare 500.
            try
            {
                await Leave(app, application);
            }
            catch (Exception alsoFailed)
            {
                LogNotLeft(LoggerOf(app), alsoFailed);
            }

            throw;
        }

        Say(app, "Stopped.");
    }

    /// <summary>A silo that is a member leaves its cluster; one that is not has nothing to leave, and refuses to be stopped.</summary>
    private static async Task Leave(WebApplication app, IHostApplicationLifetime application)
    {
        if (
            application.ApplicationStarted.IsCancellationRequested
            || app.Services.GetService<ISiloStatusOracle>() is { CurrentStatus: SiloStatus.Active }
        )
        {
            await app.StopAsync();
        }
    }

    private static bool IsJson(IConfiguration configuration) =>
        Enum.TryParse<LogFormat>(configuration[$"{LogOptions.Section}:{nameof(LogOptions.Format)}"], ignoreCase: true, out var format)
        && format == LogFormat.Json;

    /// <summary>What a person at the terminal is to see, in the form of the log when that is for programs.</summary>
    /// <remarks>A standard output that takes no more, a full disk for one, is no reason to end the silo.</remarks>
    private static void Say(WebApplication app, string text) => Say(app, new Announcement(text, []));

    private static void Say(WebApplication app, Announcement said) =>
        Log(app, Say(app.Configuration, app.Services.GetRequiredService<TimeProvider>(), said));

    /// <summary>The same before there is a log; what kept it from being said is answered, and is to be logged later.</summary>
    private static IOException? Say(IConfiguration configuration, TimeProvider clock, Announcement said)
    {
        try
        {
            Console.Out.WriteLine(IsJson(configuration) ? JsonFormatter.Line(clock.GetUtcNow(), said.Text, said.Fields) : said.Text);
            return null;
        }
        catch (IOException failure)
        {
            return failure;
        }
    }

    private static void Log(WebApplication app, IOException? unsaid)
    {
        if (unsaid is not null)
        {
            LogNotFound(LoggerOf(app), "the terminal", unsaid);
        }
    }

    /// <summary>StartAsync has returned: the silo is a member, its gateway and HTTP are open. What cannot be opened throws there.</summary>
    private static async Task PrintBanner(WebApplication app)
    {
        var services = app.Services;
        // A front has none: that it has found a silo is what its client waited for.
        if (services.GetService<ISiloStatusOracle>() is { CurrentStatus: not SiloStatus.Active } members)
        {
            throw new StartUpException($"The silo did not become a member of its cluster: it is {members.CurrentStatus}. Start it again.");
        }

        var bytes = await Find<long>(app, "the bytes of the data", async () =>
            await services.GetRequiredService<IStorageUsage>().Measure() is { Count: > 0 } shares ? shares.Sum(share => share.Bytes) : null
        );
        var keys = await Find<int>(app, "the number of API keys", async () => await services.GetRequiredService<KeyRing>().Count());
        var isOpen = await Find<bool>(app, "whether HTTP is open without a key", async () =>
            await services.GetRequiredService<KeyRing>().IsOpen()
        );
        using var process = Process.GetCurrentProcess();
        Say(
            app,
            Banner.Of(
                services.GetRequiredService<ListeningEndpoints>(),
                services.GetRequiredService<IOptions<ClusterOptions>>().Value.Id,
                services.GetRequiredService<IOptions<StorageOptions>>().Value.Place,
                bytes,
                keys,
                isOpen ?? false,
                services.GetRequiredService<TimeProvider>().GetUtcNow() - process.StartTime.ToUniversalTime()
            )
        );
    }

    /// <summary>Finds out what the banner tells for information only; null when that fails, whatever the reason: it ends no silo.</summary>
    private static async Task<T?> Find<T>(WebApplication app, string what, Func<Task<T?>> find)
        where T : struct
    {
        try
        {
            return await find();
        }
        catch (Exception failure)
        {
            LogNotFound(LoggerOf(app), what, failure);
            return null;
        }
    }

    private static ILogger LoggerOf(WebApplication app) => app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Launcher));

    [LoggerMessage(Level = LogLevel.Warning, Message = "The silo could not leave its cluster in order after it failed")]
    private static partial void LogNotLeft(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The start goes on without {What}")]
    private static partial void LogNotFound(ILogger logger, string what, Exception exception);

    private static int Refuse(IEnumerable<string> sentences, int code)
    {
        foreach (var sentence in sentences)
        {
            Console.Error.WriteLine(sentence);
        }

        return code;
    }
}
