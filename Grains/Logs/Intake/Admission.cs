namespace Grains.Logs.Intake;

/// <summary>
/// How many bytes of requests this silo holds at once, from before they are read until they are answered. What does not fit is turned away
/// before any work;
/// what fits is held against its service's share once the service is known, so that one loud service leaves room for the others.
/// </summary>
/// <remarks>
/// <para>Bodies that are still coming count as much as memory was taken for them, not as much as was declared. Together they may hold
/// <see cref="UnderWayShare"/> of the buffer, unless there is only one;
/// the first <see cref="SmallBody"/> bytes of each are free of that. When there is no room, a body that has stalled for
/// <see cref="Stalled"/> is given up for the one that came.</para>
/// <para>Thread-safe. Counts bytes as they are held here: compressed bytes while they are compressed, all of them afterwards.</para>
/// </remarks>
/// <param name="maxBytes">Of all requests.</param>
/// <param name="share">Of one service: a part of <paramref name="maxBytes"/>, from 0 to 1.</param>
/// <param name="clock">By which a body has stalled; the system's when there is none.</param>
public sealed class Admission(long maxBytes, double share, TimeProvider? clock = null)
{
    /// <summary>The part of the buffer that bodies which are still coming may hold together.</summary>
    public const double UnderWayShare = 0.5;

    /// <summary>Bytes that a body which is still coming may hold whatever others hold of that share.</summary>
    public const int SmallBody = 64 * 1024;

    /// <summary>A body that made no progress for so long is given up when another one needs the room.</summary>
    public static readonly TimeSpan Stalled = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly Dictionary<string, long> _ofServices = new(StringComparer.Ordinal);
    private readonly HashSet<Ticket> _underWay = [];
    private long _held;
    private long _heldUnderWay;
    private long _tooSlow;

    public long MaxBytes => maxBytes;

    /// <summary>Bytes that are held now.</summary>
    public long Held
    {
        get
        {
            lock (_lock)
            {
                return _held;
            }
        }
    }

    /// <summary>Requests that were turned away: they are in no books, because nobody counted their records.</summary>
    public long TurnedAway { get; private set; }

    /// <summary>Requests whose bodies came too slowly, or stalled while another one needed the room. They are in no books either.</summary>
    public long TooSlow => Interlocked.Read(ref _tooSlow);

    /// <summary>
    /// Takes in a request of so many bytes; null when it does not fit. A request larger than everything is let in when nothing else is
    /// there.
    /// </summary>
    /// <param name="evict">
    /// For a body that is still coming: ends its reading, because it stalled and its room was given to another one. Called at most once, on
    /// any thread. Null for what is here already.
    /// </param>
    public Ticket? Admit(long bytes, Action? evict = null)
    {
        var ticket = new Ticket(this, evict);
        return ticket.Resize(bytes) ? ticket : null;
    }

    /// <summary>A request that was let in. Disposing it makes room again; twice is once.</summary>
    public sealed class Ticket : IDisposable
    {
        private readonly Admission _admission;
        private Action? _evict;
        private string? _service;
        private long _bytes;
        private long _progressed;
        private bool _isEvicted;

        internal Ticket(Admission admission, Action? evict)
        {
            _admission = admission;
            _evict = evict;
            Progressed();
        }

        private bool IsUnderWay => _evict is not null;

        /// <summary>
        /// It turned out to be larger, or smaller. False when it does not fit, or was evicted: the ticket stays as it was.
        /// </summary>
        public bool Resize(long bytes)
        {
            List<Action>? evictions = null;
            try
            {
                lock (_admission._lock)
                {
                    if (_isEvicted)
                    {
                        return false;
                    }

                    if (!Fits(bytes) && !_admission.MakeRoom(this, bytes, ref evictions))
                    {
                        _admission.TurnedAway++;
                        return false;
                    }

                    Set(bytes);
                    return true;
                }
            }
            finally
            {
                evictions?.ForEach(evict => evict());
            }
        }

        /// <summary>More of the body came, at a speed that is not too slow.</summary>
        public void Progressed() => Volatile.Write(ref _progressed, _admission._clock.GetTimestamp());

        /// <summary>The body is here, all of it.</summary>
        public void Arrived()
        {
            lock (_admission._lock)
            {
                Leave();
            }
        }

        /// <summary>The body was given up because it came too slowly: counts it.</summary>
        public void OnTooSlow() => Interlocked.Increment(ref _admission._tooSlow);

        /// <summary>
        /// Whose it is (of several services, the one with the most records). False when that service holds its share already and others are
        /// there too.
        /// </summary>
        public bool Name(string service)
        {
            lock (_admission._lock)
            {
                var held = _admission._ofServices.GetValueOrDefault(service);
                var others = _admission._held - _bytes - held;
                if (held > 0 && others > 0 && held + _bytes > _admission.MaxBytes * _admission.Share)
                {
                    _admission.TurnedAway++;
                    return false;
                }

                _service = service;
                _admission.Add(service, _bytes);
                return true;
            }
        }

        public void Dispose()
        {
            lock (_admission._lock)
            {
                Set(0);
                Leave();
                _service = null;
            }
        }

        internal bool HasStalled => _admission._clock.GetElapsedTime(Volatile.Read(ref _progressed)) >= Stalled;

        internal long Bytes => _bytes;

        internal bool Fits(long bytes)
        {
            var more = bytes - _bytes;
            return more <= 0
                || (
                    (_admission._held == _bytes || _admission._held + more <= _admission.MaxBytes)
                    && (
                        !IsUnderWay
                        || bytes <= SmallBody
                        || _admission._heldUnderWay == _bytes
                        || _admission._heldUnderWay + more <= _admission.MaxBytes * UnderWayShare
                    )
                );
        }

        /// <summary>Gives its room up. Returns what ends its reading.</summary>
        internal Action Evict()
        {
            var evict = _evict!;
            Set(0);
            Leave();
            _isEvicted = true;
            return evict;
        }

        private void Set(long bytes)
        {
            var more = bytes - _bytes;
            _admission._held += more;
            if (IsUnderWay)
            {
                _admission._heldUnderWay += more;
                _admission._underWay.Add(this);
            }

            if (_service is not null)
            {
                _admission.Add(_service, more);
            }

            _bytes = bytes;
        }

        private void Leave()
        {
            if (IsUnderWay)
            {
                _admission._heldUnderWay -= _bytes;
                _admission._underWay.Remove(this);
                _evict = null;
            }
        }
    }

    private double Share => share;

    /// <summary>
    /// Evicts stalled bodies, the largest first, until a ticket fits. When all of them would not be enough, none is evicted.
    /// </summary>
    private bool MakeRoom(Ticket needs, long bytes, ref List<Action>? evictions)
    {
        var stalled = _underWay
            .Where(ticket => ticket != needs && ticket.Bytes > 0 && ticket.HasStalled)
            .OrderByDescending(ticket => ticket.Bytes)
            .ToList();
        var freed = stalled.Sum(ticket => ticket.Bytes);
        if (freed == 0 || (_held - freed > needs.Bytes && _held - freed + bytes - needs.Bytes > maxBytes))
        {
            return false;
        }

        foreach (var ticket in stalled)
        {
            (evictions ??= []).Add(ticket.Evict());
            if (needs.Fits(bytes))
            {
                return true;
            }
        }

        return false;
    }

    private void Add(string service, long bytes)
    {
        var sum = _ofServices.GetValueOrDefault(service) + bytes;
        if (sum <= 0)
        {
            _ofServices.Remove(service);
        }
        else
        {
            _ofServices[service] = sum;
        }
    }
}
