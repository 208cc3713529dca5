using Grains.Storage;
using Microsoft.Extensions.Options;
using Silo.StartUp;

namespace Silo.Storage;

/// <summary>
/// Counts of partitions and shards, stored at the first start: another number later would look for rows where they are not,
/// so it stops the silo with a sentence.
/// </summary>
/// <remarks>Table <c>cluster</c>, partition <c>format</c>, key <c>count.Section.Name</c>.</remarks>
public static class StoredCounts
{
    /// <summary>Stores the count if none is stored yet, and compares it else.</summary>
    /// <param name="setting">The setting's key: <c>Crawling:Workers</c>.</param>
    /// <param name="elsewhere">The end of a sentence: how to keep the data elsewhere (<see cref="StorageOptions.Elsewhere"/>).</param>
    /// <exception cref="StartUpException">Another count is stored.</exception>
    public static async Task Keep(ITableStore tables, string setting, int count, string elsewhere, CancellationToken cancel = default)
    {
        var stored = await FirstValue.Keep(tables, "count." + setting.Replace(':', '.'), new StoredCount(count), cancel);
        if (stored.Count != count)
        {
            throw new StartUpException(
                $"{setting} is {count}, and the data was made with {stored.Count}, which cannot be changed afterwards. "
                    + $"Set it to {stored.Count}, or {elsewhere}."
            )
            {
                ExitCode = ExitCodes.WrongSetting,
            };
        }
    }

    /// <summary>Keeps the count at start-up.</summary>
    /// <param name="setting">The setting's key: <c>Crawling:Workers</c>.</param>
    /// <param name="count">Reads it from its options.</param>
    public static IServiceCollection AddStoredCount<T>(this IServiceCollection services, string setting, Func<T, int> count)
        where T : class =>
        services.AddStartUpCheck(provider => new Check(
            provider.GetRequiredService<ITableStore>(),
            setting,
            () => count(provider.GetRequiredService<IOptions<T>>().Value),
            provider.GetRequiredService<IOptions<StorageOptions>>().Value.Elsewhere
        ));

    private sealed class Check(ITableStore tables, string setting, Func<int> count, string elsewhere) : IStartUpCheck
    {
        public Task Run(CancellationToken cancel) => Keep(tables, setting, count(), elsewhere, cancel);
    }

    private sealed record StoredCount(int Count);
}
