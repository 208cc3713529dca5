using Grains.Interfaces.Keys;
using Grains.Storage;
using Microsoft.Extensions.Options;
using Silo.Endpoints;
using Silo.StartUp;

namespace Silo.Keys;

/// <summary>
/// Where HTTP is reached from other machines, there is a key at least: the bootstrap key is made while there was none yet. One that was
/// revoked does not come back.
/// </summary>
public sealed partial class KeysCheck(
    ListeningEndpoints endpoints,
    KeyRing ring,
    ITableStore store,
    IOptions<KeysOptions> options,
    TimeProvider clock,
    ILogger<KeysCheck> logger
) : IStartUpCheck
{
    public async Task Run(CancellationToken cancel)
    {
        if (
            options.Value.Bootstrap is { Length: > 0 } secret
            && (await KeyTable.Read(store, cancel)).Count == 0
            && !await KeyTable.IsClosed(store, cancel)
        )
        {
            await Add(ApiKey.Of(secret, ApiRole.Operator, clock.GetUtcNow()), cancel);
        }

        if (endpoints.Open.FirstOrDefault(endpoint => !endpoint.IsOnLoopback) is { } beyond && await ring.Count(cancel) == 0)
        {
            throw new StartUpException(
                $"{beyond.Purpose} would listen on {beyond.EndPoint.Address} (Listen:Address), and there is no API key: whoever "
                    + $"reaches it could do everything. "
                    + "Start the silo on loopback first, make a key with \"dotnet run -c Release --project Client -- keys add "
                    + "NAME --role operator\", and start it again; "
                    + "or give the first key by Keys:Bootstrap."
            );
        }
    }

    /// <summary>A conflict is another silo of this start, which had the same key to make.</summary>
    private async Task Add(ApiKey key, CancellationToken cancel)
    {
        switch ((await KeyTable.Insert(store, key, cancel)).Outcome)
        {
            case CommitOutcome.Committed:
                LogAdded(key.Name);
                break;
            case CommitOutcome.Unknown:
                throw new StartUpException($"The store did not say whether the key {key.Name} of Keys:Bootstrap was kept. Start again.");
        }
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Key {Name} was made for an operator from Keys:Bootstrap; the setting is ignored from now on"
    )]
    private partial void LogAdded(string name);
}
