using Microsoft.Extensions.Options;
using Silo.Cluster;
using Silo.Grpc;
using Silo.Http;
using Silo.Logs;
using Silo.Storage;

namespace Silo.Settings;

/// <summary>Checks what was set, from whatever source, before anything is built on it.</summary>
public static class SettingsCheck
{
    /// <summary>What is wrong, one sentence each; empty when the silo may start.</summary>
    public static IReadOnlyList<string> Problems(IConfiguration configuration)
    {
        var unknown = SettingsCatalog
            .Classes.SelectMany(options => configuration.GetSection(SettingsCatalog.Section(options)).AsEnumerable())
            .Where(pair => pair.Value is not null && pair.Key.Contains(':') && SettingsCatalog.Find(pair.Key) is null)
            .Select(pair => Unknown(pair.Key, ""));
        var wrong = SettingsCatalog
            .All.Select(setting => configuration[setting.Key] is { } text ? setting.ProblemWithText(text) : null)
            .OfType<string>();
        string[] problems = [.. unknown, .. wrong];
        return problems.Length > 0 ? problems : [.. Doors(configuration).Problems(), .. Read<StorageOptions>(configuration).Problems()];
    }

    /// <summary>The sentence for a setting that does not exist.</summary>
    /// <param name="prefix">How settings are written where it stood: <c>--</c> on the command line.</param>
    public static string Unknown(string key, string prefix) =>
        SettingsCatalog.Nearest(key) is { } near
            ? $"There is no setting {prefix}{key}; the nearest one is {prefix}{near}. --help lists all."
            : $"There is no setting {prefix}{key}. --help lists all.";

    /// <summary>Binds an options class to its section, and checks it again when the silo starts.</summary>
    public static IServiceCollection AddSettings<T>(this IServiceCollection services, IConfiguration configuration)
        where T : class
    {
        services.AddOptions<T>().Bind(configuration.GetSection(SettingsCatalog.Section(typeof(T)))).ValidateOnStart();
        return services.AddSingleton<IValidateOptions<T>, Validator<T>>();
    }

    private static Doors Doors(IConfiguration configuration) =>
        new(
            Read<ClusterOptions>(configuration),
            Read<HttpOptions>(configuration),
            Read<GrpcOptions>(configuration),
            Read<ListenOptions>(configuration),
            Read<InstanceOptions>(configuration),
            Read<LogDoorsOptions>(configuration)
        );

    private static T Read<T>(IConfiguration configuration)
        where T : new() => configuration.GetSection(SettingsCatalog.Section(typeof(T))).Get<T>() ?? new();

    private sealed class Validator<T> : IValidateOptions<T>
        where T : class
    {
        public ValidateOptionsResult Validate(string? name, T options)
        {
            string[] problems = [.. SettingsCatalog.Of(typeof(T)).Select(setting => setting.ProblemIn(options)).OfType<string>()];
            return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
        }
    }
}
