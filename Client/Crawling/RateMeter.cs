namespace Client.Crawling;

/// <summary>Pages per second over the last ten seconds; told the time.</summary>
internal sealed class RateMeter
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    /// <summary>More looks than a window has when one looks twice a second; older ones make way.</summary>
    private const int Capacity = 64;

    private readonly Queue<(DateTimeOffset At, long Pages)> _looks = [];

    /// <summary>0 until two looks have been taken, and when the count fell: that is another crawl or a mistake.</summary>
    public double Next(DateTimeOffset now, long pages)
    {
        while (_looks.Count > 0 && (now - _looks.Peek().At > Window || _looks.Count >= Capacity))
        {
            _looks.Dequeue();
        }

        _looks.Enqueue((now, pages));
        var (since, before) = _looks.Peek();
        return now > since ? Math.Max(0, (pages - before) / (now - since).TotalSeconds) : 0;
    }
}
