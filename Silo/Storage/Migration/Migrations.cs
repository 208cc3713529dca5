using System.Text.Json;
using System.Text.Json.Serialization;
using Grains.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using Silo.Cluster;
using Silo.StartUp;

namespace Silo.Storage.Migration;

/// <summary>
/// Brings data of an older version to this one's at start, step by step, after a copy was set aside; <see cref="DataFormat"/> says what a
/// version is.
/// </summary>
/// <remarks>
/// <para>Row <c>migration</c> beside <c>version</c> says that a migration is under way: from where, how far, by whom. It is written in the
/// same commit that raises
/// <c>version</c>, so that from then on no older silo starts on what is half changed; the commit of the last step removes it. Who finds it
/// goes on from the last finished step,
/// and takes no second copy: the first one holds the data as it was.</para>
/// <para>One silo migrates. It says every <see cref="SignOfLife"/> that it lives, and whoever finds a sign younger than
/// <see cref="Patience"/> does not start.
/// One that hung and finds its row taken ends.</para>
/// </remarks>
public sealed partial class Migrations : IStartUpCheck
{
    public const string Key = "migration";

    /// <summary>Between two signs of life of the silo that migrates.</summary>
    public static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A silo that said nothing for so long was killed: another goes on with what it migrated. Clocks of two machines differ by less.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>A member of the cluster that said nothing for so long is gone: silos say that they live every half minute.</summary>
    private static readonly TimeSpan MemberPatience = TimeSpan.FromMinutes(2);

    private readonly ITableStore _tables;
    private readonly IBlobStore _blobs;
    private readonly IMembershipTable _members;
    private readonly StorageOptions _storage;
    private readonly TimeProvider _clock;
    private readonly ILogger<Migrations> _logger;
    private readonly Dictionary<int, IMigrationStep> _steps;
    private readonly int _target;
    private readonly string _me = Guid.NewGuid().ToString("N");

    public Migrations(
        ITableStore tables,
        IBlobStore blobs,
        IMembershipTable members,
        IEnumerable<IMigrationStep> steps,
        IOptions<StorageOptions> storage,
        TimeProvider clock,
        ILogger<Migrations> logger
    )
        : this(tables, blobs, members, steps, storage, clock, logger, DataFormat.VersionOn(storage.Value.Kind)) { }

    /// <param name="target">The version that the steps lead to.</param>
    internal Migrations(
        ITableStore tables,
        IBlobStore blobs,
        IMembershipTable members,
        IEnumerable<IMigrationStep> steps,
        IOptions<StorageOptions> storage,
        TimeProvider clock,
        ILogger<Migrations> logger,
        int target
    )
    {
        (_tables, _blobs, _members, _storage, _clock, _logger, _target) = (tables, blobs, members, storage.Value, clock, logger, target);
        _steps = steps.ToDictionary(step => step.From);
    }

    public async Task Run(CancellationToken cancel)
    {
        if (await _tables.Get(DataFormat.Table, DataFormat.Partition, DataFormat.VersionKey, cancel) is not { } versionRow)
        {
            return; // New data.
        }

        var version = Read(versionRow, MigrationRows.Default.KeptVersion).Version;
        var row = await _tables.Get(DataFormat.Table, DataFormat.Partition, Key, cancel);
        var found = row is null ? null : Read(row, MigrationRows.Default.UnderWay);
        if (version > _target || (found is null && version == _target))
        {
            return; // What is newer is refused by DataFormat.
        }

        var from = found?.Done ?? version;
        if (Enumerable.Range(from, _target - from).FirstOrDefault(step => !_steps.ContainsKey(step), -1) is var missing and >= 0)
        {
            throw new StartUpException(
                $"The data in {_storage.Place} is of version {from}, and this silo, {About.Version}, knows no way from version "
                    + $"{missing} to {missing + 1}. Start an older silo."
            );
        }

        if (found is not null && _clock.GetUtcNow() - found.At < Patience)
        {
            throw new StartUpException(
                $"Another silo migrates the data in {_storage.Place} from version {found.From} to {found.To}; it said so at "
                    + $"{found.At:u}. Start this one when that one is ready. "
                    + $"If that one was killed, start this one {Patience.TotalSeconds:0} s after that time."
            );
        }

        await RefuseWhileOthersWork(cancel);
        var copy = found is null ? SetAside(version, cancel) : found.Copy;
        var underWay = new UnderWay(found?.From ?? version, from, _target, copy, _me, _clock.GetUtcNow());
        var mine = await Take(versionRow, row, underWay, cancel);
        await Steps(underWay, mine, cancel);
    }

    /// <summary>
    /// Nobody may work on what is being changed. A silo of this machine that was killed is known by its port, others by their signs of
    /// life.
    /// </summary>
    private async Task RefuseWhileOthersWork(CancellationToken cancel)
    {
        await _members.InitializeMembershipTableAsync(tryInitTableVersion: true, cancel);
        var listeners = LostMembers.Listeners();
        var now = _clock.GetUtcNow().UtcDateTime;
        var others = (await _members.ReadAllAsync(cancel))
            .Members.Select(member => member.Item1)
            .Where(member =>
                member.Status != SiloStatus.Dead && !LostMembers.IsLost(member, listeners) && now - member.IAmAliveTime < MemberPatience
            )
            .ToList();
        if (others.Count > 0)
        {
            throw new StartUpException(
                $"The data in {_storage.Place} is of an older version and is migrated before a silo works on it; but "
                    + $"{others[0].SiloName} at {others[0].SiloAddress.Endpoint} is a member of the cluster. "
                    + $"Stop every silo, then start this one. One that was killed on another machine is forgotten "
                    + $"{MemberPatience.TotalMinutes:0} minutes after its last sign of life."
            );
        }
    }

    /// <returns>The path of the copy; null when the operator has one.</returns>
    private string? SetAside(int version, CancellationToken cancel)
    {
        if (_storage.CopiedVersion == version)
        {
            LogCopiedByHand(version);
            return null;
        }

        if (_storage.Kind != StorageKind.Local)
        {
            throw new StartUpException(
                $"The data in {_storage.Place} is of version {version}, and this silo, {About.Version}, would migrate it to "
                    + $"version {_target}. Of data that is not on this machine it makes no copy: make one "
                    + $"(tables and objects), then start one silo with --Storage:CopiedVersion {version}."
            );
        }

        try
        {
            var copy = DataCopy.SetAside(_storage.FullPath, version, _clock.GetUtcNow(), cancel);
            LogSetAside(version, copy);
            return copy;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or SqliteException)
        {
            throw new StartUpException(
                $"The data in {_storage.Place} is of version {version}, and no copy of it can be set aside before it is "
                    + $"migrated to version {_target}: {failure.Message.TrimEnd('.')}. "
                    + $"Make room beside it; or copy the folder yourself, then start the silo with --Storage:CopiedVersion {version}.",
                failure
            );
        }
    }

    /// <summary>From here on the data is of the new version, and half changed.</summary>
    /// <returns>The etag of the row that says so.</returns>
    private async Task<string> Take(TableRow versionRow, TableRow? row, UnderWay underWay, CancellationToken cancel)
    {
        var version = JsonSerializer.SerializeToUtf8Bytes(new KeptVersion(_target), MigrationRows.Default.KeptVersion);
        var result = await _tables.Commit(
            DataFormat.Table,
            DataFormat.Partition,
            [
                RowChange.Replace(DataFormat.VersionKey, version, versionRow.ETag),
                row is null ? RowChange.Insert(Key, Payload(underWay)) : RowChange.Replace(Key, Payload(underWay), row.ETag),
            ],
            cancel
        );
        return Certain(result)[1]!;
    }

    private async Task Steps(UnderWay underWay, string etag, CancellationToken cancel)
    {
        for (var from = underWay.Done; from < _target; from++)
        {
            var step = _steps[from];
            LogStep(from, from + 1, step.What);
            try
            {
                etag = await RunAlive(step, underWay, etag, cancel);
            }
            catch (Exception failure) when (failure is not StartUpException && !cancel.IsCancellationRequested)
            {
                throw new StartUpException(
                    $"The data in {_storage.Place} could not be migrated from version {from} to {from + 1} ({step.What}): "
                        + $"{failure.Message.TrimEnd('.')}. Start the silo again to try again. "
                        + (
                            underWay.Copy is { } copy
                                ? $"The data as it was is in {copy}: an older silo starts with that."
                                : "The data as it was is in the copy that you made."
                        ),
                    failure
                );
            }

            underWay = underWay with { Done = from + 1, At = _clock.GetUtcNow() };
            var change = underWay.Done == _target ? RowChange.Delete(Key, etag) : RowChange.Replace(Key, Payload(underWay), etag);
            etag = Certain(await _tables.Commit(DataFormat.Table, DataFormat.Partition, [change], cancel))[0] ?? "";
        }

        LogDone(underWay.From, _target);
    }

    /// <summary>Runs the step and says meanwhile, again and again, that this silo lives.</summary>
    /// <returns>The etag of the row after the last sign.</returns>
    private async Task<string> RunAlive(IMigrationStep step, UnderWay underWay, string etag, CancellationToken cancel)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var signs = new PeriodicTimer(SignOfLife, _clock);
        var running = Task.Run(() => step.Run(_tables, _blobs, over.Token), over.Token);
        try
        {
            var sign = signs.WaitForNextTickAsync(cancel).AsTask();
            while (await Task.WhenAny(running, sign) == sign && await sign)
            {
                var alive = RowChange.Replace(Key, Payload(underWay with { At = _clock.GetUtcNow() }), etag);
                etag = Certain(await _tables.Commit(DataFormat.Table, DataFormat.Partition, [alive], cancel))[0]!;
                sign = signs.WaitForNextTickAsync(cancel).AsTask();
            }
        }
        catch
        {
            await over.CancelAsync();
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        await running;
        return etag;
    }

    private IReadOnlyList<string?> Certain(CommitResult result) =>
        result.Outcome switch
        {
            CommitOutcome.Committed => result.ETags,
            CommitOutcome.Conflict => throw new StartUpException(
                $"Another silo migrates the data in {_storage.Place}. Start this one when that one is ready."
            ),
            _ => throw new StartUpException(
                $"The store did not say what became of the migration of {_storage.Place}: {result.Cause?.Message} Start the "
                    + $"silo again, {Patience.TotalSeconds:0} s from now."
            ),
        };

    private static byte[] Payload(UnderWay underWay) => JsonSerializer.SerializeToUtf8Bytes(underWay, MigrationRows.Default.UnderWay);

    private static T Read<T>(TableRow row, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(row.Payload.Span, type) ?? throw new JsonException("It is null.");
        }
        catch (JsonException unreadable)
        {
            throw new StartUpException($"The row \"{row.Key}\" of the data's format cannot be read: {unreadable.Message}", unreadable);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The data is of version {Version}; a copy of it as it is was set aside in {Copy}. Remove it when you need it no more"
    )]
    private partial void LogSetAside(int version, string copy);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The data is of version {Version}; no copy is made, for Storage:CopiedVersion says that there is one"
    )]
    private partial void LogCopiedByHand(int version);

    [LoggerMessage(Level = LogLevel.Information, Message = "The data is migrated from version {From} to {To}: {What}")]
    private partial void LogStep(int from, int to, string what);

    [LoggerMessage(Level = LogLevel.Information, Message = "The data, which was of version {From}, is of version {To} now")]
    private partial void LogDone(int from, int to);
}

internal sealed record KeptVersion(int Version);

/// <param name="From">The version that the data had.</param>
/// <param name="Done">The version up to which every step has run.</param>
/// <param name="To">The version that is wanted.</param>
/// <param name="Copy">Where the data as it was is; null when the operator has made a copy.</param>
/// <param name="By">Differs for each start of a silo.</param>
/// <param name="At">The last sign of life.</param>
internal sealed record UnderWay(int From, int Done, int To, string? Copy, string By, DateTimeOffset At);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(KeptVersion))]
[JsonSerializable(typeof(UnderWay))]
internal sealed partial class MigrationRows : JsonSerializerContext;
