using Doubles.Logs;
using Doubles.Storage;
using Grains.Interfaces.Logs;
using Grains.Logs.Reading;
using Grains.Logs.Sql;
using Grains.Storage;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Unit.Logs.Sql;
using Unit.Storage;

namespace Unit.Logs.Reading;

/// <summary>Stored records, and whoever answers questions about them, as in a silo.</summary>
internal sealed class Questions : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly QueryPlaces _places;
    private readonly SegmentCache _cache;
    private IDisposable? _owned;

    public Questions(Action<LogReadingOptions>? set = null, IBlobStore? blobs = null, FakeTimeProvider? clock = null)
    {
        var options = new LogReadingOptions();
        set?.Invoke(options);
        var store = blobs ?? new BlobStoreInMemory();
        Shelf = new(store);
        _places = new(options.Queries, TimeSpan.FromMilliseconds(20), TimeProvider.System);
        Clock = clock ?? new();
        Unreadable = new(Clock);
        CacheFolder = _folder["it's [a] cache*"];
        _cache = new(store, CacheFolder, options.CacheBytes);
        Search = new(Shelf, _cache, Unreadable, _places, Options.Create(options), TimeProvider.System);
        Statements = new(Shelf, _cache, Unreadable, _places, new SqlInThisProcess(), Options.Create(options), TimeProvider.System);
        Stats = new(Shelf, _cache, Unreadable, _places, Options.Create(options), TimeProvider.System);
    }

    public SegmentShelf Shelf { get; }

    public UnreadableSegments Unreadable { get; }

    /// <summary>Of what is known to be unreadable, alone: queries measure real time.</summary>
    public FakeTimeProvider Clock { get; }

    public string CacheFolder { get; }

    /// <summary>Disposes it too.</summary>
    public void Owns(IDisposable other) => _owned = other;

    public LogSearch Search { get; }

    public LogStatements Statements { get; }

    public LogStats Stats { get; }

    public async Task<(LogValue[] Records, QueryEnd End)> Find(
        string query,
        int limit = 1000,
        bool oldestFirst = false,
        DateTimeOffset? since = null,
        DateTimeOffset? until = null
    )
    {
        var records = new List<LogValue>();
        QueryEnd? end = null;
        await foreach (var page in Search.Find(new(query, since, until, limit, oldestFirst)))
        {
            records.AddRange(LogValue.Of(page.Records));
            end = page.End;
        }

        return ([.. records], end!);
    }

    public Task<SqlReply> Sql(string sql, int limit = 1000) => Statements.Ask(new(sql, null, null, limit));

    public void Dispose()
    {
        _places.Dispose();
        _cache.Dispose();
        _owned?.Dispose();
        _folder.Dispose();
    }
}
