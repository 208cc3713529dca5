using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using Grains.Interfaces.Books;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Silo.Books;
using Xunit;

namespace Unit.Silo;

public sealed class BooksMetricsTests
{
    private static readonly Account Logs = new(
        "logs",
        "records",
        In: 10,
        Done: 6,
        ImmutableSortedDictionary<string, long>.Empty.Add("filtered", 3),
        Waiting: 1,
        Bound: 100,
        "429"
    );

    private readonly FakeTimeProvider _clock = new();
    private TaskCompletionSource<ImmutableArray<Account>> _answer = new();
    private int _asked;

    [Fact]
    public void TheBooksAreShownAsTheyWereReadLast()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var seen = Collector(services);
        Assert.Empty(seen());

        _answer.SetResult([Logs]);
        var shown = seen();

        Assert.Equal(
            new SortedDictionary<string, double>(StringComparer.Ordinal)
            {
                ["books.age"] = 0,
                ["books.balance logs records"] = 1,
                ["books.bound logs records"] = 100,
                ["books.done logs records"] = 6,
                ["books.in logs records"] = 10,
                ["books.refused logs records filtered"] = 3,
                ["books.waiting logs records"] = 1,
            },
            shown
        );
        Assert.Equal(1, _asked);
    }

    [Fact]
    public void BooksThatDoNotBalanceAreZero()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var seen = Collector(services);
        _answer.SetResult([Logs with { Done = 5 }]);

        Assert.Equal(0, seen()["books.balance logs records"]);
    }

    [Fact]
    public void WhileTheBooksCannotBeReadTheirAgeGrows()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var seen = Collector(services);
        _answer.SetResult([Logs]);
        seen();

        _answer = new();
        _answer.SetException(new IOException("away"));
        _clock.Advance(TimeSpan.FromMinutes(5));

        Assert.Equal(300, seen()["books.age"]);
    }

    private Func<SortedDictionary<string, double>> Collector(ServiceProvider services)
    {
        var meters = services.GetRequiredService<IMeterFactory>();
        var metrics = new BooksMetrics(
            _ =>
            {
                _asked++;
                return _answer.Task;
            },
            meters,
            _clock,
            _clock,
            NullLogger<BooksMetrics>.Instance
        );
        var values = new SortedDictionary<string, double>(StringComparer.Ordinal);
        var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, on) =>
        {
            if (instrument.Meter.Name == BooksMetrics.Meter && instrument.Meter.Scope == meters)
            {
                on.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => values[Name(instrument, tags)] = value);
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => values[Name(instrument, tags)] = value);
        listener.Start();
        return () =>
        {
            GC.KeepAlive(metrics);
            values.Clear();
            listener.RecordObservableInstruments();
            return new(values, StringComparer.Ordinal);
        };
    }

    private static string Name(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var name = instrument.Name;
        foreach (var tag in tags)
        {
            name += $" {tag.Value}";
        }

        return name;
    }
}
