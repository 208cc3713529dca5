using System.Collections.Immutable;
using Grains.Interfaces.Keys;
using Grains.Storage;

namespace Silo.Keys;

/// <summary>Makes, lists and revokes keys. It keeps nothing in memory: names are unique because a row is inserted.</summary>
[GrainType("apikeys")]
public sealed partial class ApiKeysGrain(ITableStore store, TimeProvider clock, ILogger<ApiKeysGrain> logger) : Grain, IApiKeysGrain
{
    public async Task<AddKeyReply> Add(string name, ApiRole role, CancellationToken cancel = default)
    {
        if (!ApiKey.IsName(name))
        {
            return Refused(
                AddKeyRefusal.Name,
                $"\"{name}\" is no name for a key: 1 to {IApiKeysGrain.MaxNameLength} letters, digits, \"-\" and \"_\"."
            );
        }

        if (!Enum.IsDefined(role))
        {
            return Refused(AddKeyRefusal.Role, $"{role} is no role: a key is for a reader, a writer or an operator.");
        }

        if ((await KeyTable.Read(store, cancel)).Count >= IApiKeysGrain.MaxKeys)
        {
            return Refused(AddKeyRefusal.Full, $"{IApiKeysGrain.MaxKeys} keys are kept already. Revoke one first.");
        }

        var key = ApiKey.Make(name, role, clock.GetUtcNow(), out var secret);
        switch ((await KeyTable.Insert(store, key, cancel)).Outcome)
        {
            case CommitOutcome.Committed:
                LogAdded(name, role);
                return new(secret, null);
            case CommitOutcome.Conflict:
                return Refused(
                    AddKeyRefusal.Exists,
                    $"There is a key named \"{name}\" already. Choose another name, or revoke that one first."
                );
            default:
                return Refused(
                    AddKeyRefusal.Unknown,
                    $"The store did not say whether the key \"{name}\" was kept. Look with \"keys list\"; revoke it if it is "
                        + $"there, and make it again."
                );
        }
    }

    private static AddKeyReply Refused(AddKeyRefusal refusal, string error) => new(null, error) { Refusal = refusal };

    public async Task<ImmutableArray<ApiKeyLine>> List(CancellationToken cancel = default) =>
        [
            .. (await KeyTable.Read(store, cancel))
                .OrderBy(key => key.Name, StringComparer.Ordinal)
                .Select(key => new ApiKeyLine(key.Name, key.Role, key.AddedAt)),
        ];

    public async Task<bool> Revoke(string name, CancellationToken cancel = default)
    {
        if (!ApiKey.IsName(name) || await store.Get(KeyTable.Name, KeyTable.Partition, name, cancel) is null)
        {
            return false;
        }

        // Before the key goes: whatever dies in between, the last one never takes the lock along.
        if ((await KeyTable.Close(store, cancel)).Outcome != CommitOutcome.Committed)
        {
            throw new InvalidOperationException(
                $"The store did not say whether the doors stay closed without the key \"{name}\", so it was not removed. Revoke it again."
            );
        }

        var commit = await KeyTable.Delete(store, name, cancel);
        if (commit.Outcome != CommitOutcome.Committed)
        {
            throw new InvalidOperationException($"The store did not say whether the key \"{name}\" was removed. Revoke it again.");
        }

        LogRevoked(name);
        return true;
    }

    public async Task<bool> IsOpen(CancellationToken cancel = default) =>
        (await KeyTable.Read(store, cancel)).Count == 0 && !await KeyTable.IsClosed(store, cancel);

    public async Task<bool> Open(CancellationToken cancel = default)
    {
        if ((await KeyTable.Read(store, cancel)).Count > 0)
        {
            return false;
        }

        if ((await KeyTable.Open(store, cancel)).Outcome != CommitOutcome.Committed)
        {
            throw new InvalidOperationException("The store did not say whether the doors were opened. Open them again.");
        }

        LogOpened();
        return true;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Key {Name} was made for a {Role}")]
    private partial void LogAdded(string name, ApiRole role);

    [LoggerMessage(Level = LogLevel.Information, Message = "Key {Name} was revoked")]
    private partial void LogRevoked(string name);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "HTTP and gRPC were opened: without a key everybody on a silo's machine may do everything"
    )]
    private partial void LogOpened();
}
