using System.Collections.Frozen;
using System.Security.Cryptography;
using Grains;
using Grains.Interfaces.Keys;
using Grains.Storage;

namespace Silo.Keys;

/// <summary>
/// The keys as the doors of this process know them: all of them in memory, <see cref="IApiKeysGrain.MaxKeys"/> at most. A request with a
/// known key costs
/// the store nothing until what is known is <see cref="Staleness"/> old; one with an unknown key, not more than a read in
/// <see cref="StalenessOfMiss"/>.
/// </summary>
public sealed class KeyRing(ITableStore store, TimeProvider clock, [FromKeyedServices(Clocks.Guards)] TimeProvider guards)
{
    /// <summary>A key that was revoked is refused after this.</summary>
    public static readonly TimeSpan Staleness = TimeSpan.FromSeconds(5);

    /// <summary>A key that was made is known after this.</summary>
    public static readonly TimeSpan StalenessOfMiss = TimeSpan.FromSeconds(1);

    /// <summary>While the store does not answer, what was known last is good for so long; then nobody is let in.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>For one read of the store.</summary>
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private Known? _known;
    private Task<Known>? _reading;

    /// <summary>How many keys there are; that there are none is not believed for longer than <see cref="StalenessOfMiss"/>.</summary>
    /// <exception cref="KeysUnavailableException">The store does not say.</exception>
    public async ValueTask<int> Count(CancellationToken cancel = default)
    {
        var count = (await NotOlderThan(Staleness, cancel)).Keys.Count;
        return count > 0 ? count : (await NotOlderThan(StalenessOfMiss, cancel)).Keys.Count;
    }

    /// <summary>
    /// Whether callers without a key may be let in: no key was made, or an operator has opened the doors again. After the last key was
    /// revoked they stay closed. It is not believed for
    /// longer than <see cref="StalenessOfMiss"/>.
    /// </summary>
    /// <exception cref="KeysUnavailableException">The store does not say.</exception>
    public async ValueTask<bool> IsOpen(CancellationToken cancel = default) =>
        await Count(cancel) == 0 && await NotOlderThan(StalenessOfMiss, cancel) is { Keys.Count: 0, IsClosed: false };

    /// <summary>The key that this secret opens; null when there is none.</summary>
    /// <exception cref="KeysUnavailableException">The store does not say.</exception>
    public async ValueTask<ApiKey?> Find(string secret, CancellationToken cancel = default)
    {
        if (ApiKey.NameIn(secret) is not { } name)
        {
            return null;
        }

        return Match(await NotOlderThan(Staleness, cancel)) ?? Match(await NotOlderThan(StalenessOfMiss, cancel));

        ApiKey? Match(Known known) => known.Keys.TryGetValue(name, out var key) && key.IsOpenedBy(secret) ? key : null;
    }

    /// <summary>
    /// The key of this name, if it is still the one with this hash, as it was not longer than <paramref name="age"/> ago; null when there
    /// is none.
    /// </summary>
    /// <exception cref="KeysUnavailableException">The store does not say.</exception>
    public async ValueTask<ApiKey?> Find(string name, byte[] hash, TimeSpan age, CancellationToken cancel = default) =>
        (await NotOlderThan(age, cancel)).Keys.TryGetValue(name, out var key) && CryptographicOperations.FixedTimeEquals(key.Hash, hash)
            ? key
            : null;

    private async ValueTask<Known> NotOlderThan(TimeSpan age, CancellationToken cancel)
    {
        var known = Volatile.Read(ref _known);
        if (known is not null && clock.GetElapsedTime(known.ReadAt) < age)
        {
            return known;
        }

        try
        {
            return await Read().WaitAsync(cancel);
        }
        catch (Exception failure) when (!cancel.IsCancellationRequested)
        {
            // Whatever the store has: for a while it is better to know what was true a moment ago than to lock everybody out.
            return known is not null && clock.GetElapsedTime(known.ReadAt) < Patience ? known : throw new KeysUnavailableException(failure);
        }
    }

    /// <summary>One read for all who wait for it.</summary>
    private Task<Known> Read()
    {
        lock (_gate)
        {
            return _reading is null or { IsCompleted: true } ? _reading = ReadOnce() : _reading;
        }

        async Task<Known> ReadOnce()
        {
            await Task.Yield();
            var at = clock.GetTimestamp();
            using var bound = new CancellationTokenSource(ReadTimeout, guards);
            var keys = await KeyTable.Read(store, bound.Token).WaitAsync(ReadTimeout, guards, CancellationToken.None);
            // Where there are keys nobody asks.
            var isClosed =
                keys.Count == 0 && await KeyTable.IsClosed(store, bound.Token).WaitAsync(ReadTimeout, guards, CancellationToken.None);
            var known = new Known(keys.ToFrozenDictionary(key => key.Name), isClosed, at);
            Volatile.Write(ref _known, known);
            return known;
        }
    }

    private sealed record Known(FrozenDictionary<string, ApiKey> Keys, bool IsClosed, long ReadAt);
}

/// <summary>Nobody can be let in: the store has not said for a while which keys there are.</summary>
public sealed class KeysUnavailableException(Exception cause) : Exception("The API keys cannot be read from the store.", cause);
