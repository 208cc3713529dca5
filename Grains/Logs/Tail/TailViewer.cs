using System.Threading.Channels;
using Grains.Interfaces.Logs;
using Grains.Logs.Queries;
using Grains.Logs.Records;

namespace Grains.Logs.Tail;

/// <summary>
/// One viewer's part of the live tail: what matched and was not taken yet, <see cref="MaxRecords"/> and <see cref="MaxBytes"/> at most.
/// What finds no room is counted, and the viewer is told.
/// Thread-safe.
/// </summary>
public sealed class TailViewer(LogQuery query) : IDisposable
{
    public const int MaxRecords = 10_000;

    public const int MaxBytes = 4 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly Channel<bool> _news = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );
    private LogBlockBuilder _waiting = new();
    private readonly SortedSet<string> _unreadable = new(StringComparer.Ordinal);
    private long _missed;
    private bool _over;

    /// <summary>Takes in what matches, in the order in which it is offered.</summary>
    public void Offer(in LogRecord record)
    {
        if (!query.Predicate.Matches(record))
        {
            return;
        }

        lock (_lock)
        {
            if (_over)
            {
                return;
            }

            if (_waiting.Count >= MaxRecords || _waiting.Bytes >= MaxBytes)
            {
                _missed++;
            }
            else
            {
                _waiting.Add(record);
                _waiting.End();
            }
        }

        _news.Writer.TryWrite(true);
    }

    /// <summary>Records that nobody could look at, for want of time or because these segments cannot be read.</summary>
    public void Miss(long records, IEnumerable<string> unreadable)
    {
        lock (_lock)
        {
            _missed += records;
            foreach (var name in unreadable.Take(TailPage.MaxUnreadableNames - _unreadable.Count))
            {
                _unreadable.Add(name);
            }
        }

        _news.Writer.TryWrite(true);
    }

    /// <summary>Waits until there is something; false when it took too long.</summary>
    public async Task<bool> Wait(TimeSpan atMost, TimeProvider clock, CancellationToken cancel)
    {
        using var over = new CancellationTokenSource(atMost, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, over.Token);
        try
        {
            await _news.Reader.ReadAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>What waits.</summary>
    public TailPage Take()
    {
        lock (_lock)
        {
            var block = _waiting.Build();
            // Not from the pool: it is read by others after it was handed over.
            var page = new TailPage(new(block.Bytes.ToArray()), _missed, null) { UnreadableSegments = [.. _unreadable] };
            LogBlockBuilder.Return(block);
            _waiting.Dispose();
            _waiting = new();
            _missed = 0;
            _unreadable.Clear();
            return page;
        }
    }

    /// <summary>It is offered nothing any more.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _over = true;
            _waiting.Dispose();
        }
    }
}
