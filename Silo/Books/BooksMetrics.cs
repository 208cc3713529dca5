using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using Grains;
using Grains.Interfaces.Books;

namespace Silo.Books;

/// <summary>
/// The books of the cluster as numbers: meter <c>Books</c>. Every silo shows the same books, so a dashboard takes the greatest of them.
/// They are as they were read last (<see cref="LatestReading{T}"/>), and none are shown before the first reading.
/// </summary>
public sealed partial class BooksMetrics
{
    public const string Meter = "Books";

    private readonly LatestReading<ImmutableArray<Account>> _books;
    private readonly ILogger<BooksMetrics> _logger;

    /// <param name="read">Reads the books of all systems.</param>
    public BooksMetrics(
        Func<CancellationToken, Task<ImmutableArray<Account>>> read,
        IMeterFactory meters,
        TimeProvider clock,
        [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
        ILogger<BooksMetrics> logger
    )
    {
        (_books, _logger) = (new(read, clock, guards, LogNotRead), logger);
        var meter = meters.Create(Meter);
        Gauge("books.in", "What came in, by system and account: in = done + refused + waiting.", account => account.In);
        Gauge("books.done", "What was finished, by system and account.", account => account.Done);
        Gauge("books.waiting", "What waits, by system and account.", account => account.Waiting);
        Gauge("books.bound", "How much may wait at most, by system and account.", account => account.Bound);
        meter.CreateObservableGauge("books.refused", Refused, "{item}", "What was refused or left out, by system, account and reason.");
        meter.CreateObservableGauge(
            "books.balance",
            () => Of(account => account.Balances ? 1 : 0),
            description: "1 while in = done + refused + waiting and nothing that is counted stands still; else 0. By system and account."
        );
        meter.CreateObservableGauge("books.age", Age, "s", "How long ago the books were read: it grows while they cannot be read.");

        void Gauge(string name, string what, Func<Account, long> of) => meter.CreateObservableGauge(name, () => Of(of), "{item}", what);
    }

    private ImmutableArray<Account> Accounts => _books.TryGet(out var accounts, out _) ? accounts : [];

    private IEnumerable<Measurement<long>> Of(Func<Account, long> of) =>
        Accounts.Select(account => new Measurement<long>(of(account), System(account), Name(account)));

    private IEnumerable<Measurement<long>> Refused() =>
        from account in Accounts
        from refused in account.Refused
        select new Measurement<long>(refused.Value, System(account), Name(account), new("reason", refused.Key));

    private IEnumerable<Measurement<double>> Age() => _books.TryGet(out _, out var age) ? [new(age.TotalSeconds)] : [];

    private static KeyValuePair<string, object?> System(Account account) => new("system", account.System);

    private static KeyValuePair<string, object?> Name(Account account) => new("account", account.Name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The books cannot be read for the metrics; the next collection tries again")]
    private partial void LogNotRead(Exception failure);
}
