using System.Globalization;

namespace Grains.Crawling.Frontier;

/// <summary>
/// How much slower than asked a host is asked for, by how it answers: <see cref="Extra"/> is added to the delay between two requests, and
/// is never negative. It is told the time.
/// </summary>
/// <remarks>
/// <para>429 and 503 double it, from the asked delay or <see cref="LeastStep"/> on. Other failures (5xx, a time-out, no connection) grow it
/// by half from the second one in a row on, for one broken page says nothing of its host. It grows once in as long as it lasts, however
/// many requests were under way. Each answer takes a fifth off.</para>
/// <para>While answers take twice their usual time and <see cref="SlowBy"/> more, it is at least the time that they take longer, shared out
/// over the requests that may be under way.</para>
/// </remarks>
/// <param name="longest">More is never added; also not more than <see cref="Most"/>.</param>
public sealed class AdaptivePace(TimeSpan longest)
{
    /// <summary>What a host that answers nothing well costs at most for each request.</summary>
    public static readonly TimeSpan Most = TimeSpan.FromMinutes(1);

    public static readonly TimeSpan LeastStep = TimeSpan.FromMilliseconds(500);

    public static readonly TimeSpan SlowBy = TimeSpan.FromMilliseconds(500);

    /// <summary>Less is nothing.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(50);

    private readonly TimeSpan _most = longest < Most ? longest : Most;
    private TimeSpan _strain;
    private TimeSpan _slowness;
    private double? _usual;
    private double _recent;
    private int _failures;
    private string? _reason;
    private DateTimeOffset _failedAt;
    private DateTimeOffset _grownAt = DateTimeOffset.MinValue;

    /// <summary>To be added to the delay that was asked for.</summary>
    public TimeSpan Extra => _strain > _slowness ? _strain : _slowness;

    /// <summary>Why there is something to add, a sentence; null when there is not.</summary>
    public string? Why =>
        Extra == TimeSpan.Zero ? null
        : _slowness >= _strain ? Say($"Its answers take {Milliseconds(_recent)}, where {Milliseconds(_usual ?? 0)} are usual.")
        : _failures > 0 ? Say($"{_failures} failure(s) in a row, the last one {_reason} at {_failedAt.UtcDateTime:u}.")
        : Say($"It answers again after {_reason} at {_failedAt.UtcDateTime:u}, and gets faster by and by.");

    /// <summary>A request was answered well.</summary>
    /// <param name="took">To the last byte.</param>
    /// <param name="concurrency">Requests that may be under way at once, at least 1.</param>
    public void OnAnswered(TimeSpan took, int concurrency)
    {
        _failures = 0;
        _strain = _strain * 0.8 < Least ? TimeSpan.Zero : _strain * 0.8;
        var milliseconds = took.TotalMilliseconds;
        _recent = _usual is null ? milliseconds : _recent + ((milliseconds - _recent) / 4);
        _usual = _usual is not { } usual || _recent < usual ? _recent : usual + ((milliseconds - usual) / 64);
        var longer = TimeSpan.FromMilliseconds(_recent - _usual.Value);
        _slowness = _recent > 2 * _usual && longer > SlowBy ? AtMost(longer / concurrency) : TimeSpan.Zero;
    }

    /// <summary>The host says that it is asked too much: 429 or 503.</summary>
    /// <param name="reason">The word for the books.</param>
    /// <param name="asked">The delay that was asked for.</param>
    /// <returns>The host is asked more slowly from now on.</returns>
    public bool OnRefused(string reason, TimeSpan asked, DateTimeOffset now)
    {
        Failed(reason, now);
        return Grow(2, asked > LeastStep ? asked : LeastStep, now);
    }

    /// <summary>A request failed otherwise: the host may be in trouble.</summary>
    /// <inheritdoc cref="OnRefused"/>
    public bool OnFailed(string reason, TimeSpan asked, DateTimeOffset now)
    {
        Failed(reason, now);
        return _failures > 1 && Grow(1.5, asked / 2 > LeastStep ? asked / 2 : LeastStep, now);
    }

    /// <summary>Takes what a predecessor stored.</summary>
    public void Restore(TimeSpan extra) => _strain = AtMost(extra);

    private void Failed(string reason, DateTimeOffset now)
    {
        _failures++;
        _reason = reason;
        _failedAt = now;
    }

    private bool Grow(double factor, TimeSpan least, DateTimeOffset now)
    {
        if (_grownAt > DateTimeOffset.MinValue && now - _grownAt < _strain)
        {
            return false;
        }

        _grownAt = now;
        var before = _strain;
        _strain = AtMost(_strain * factor > least ? _strain * factor : least);
        return _strain > before;
    }

    private TimeSpan AtMost(TimeSpan extra) => extra < _most ? extra : _most;

    private static string Milliseconds(double milliseconds) => Say($"{milliseconds:0} ms");

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
