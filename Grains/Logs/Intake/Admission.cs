namespace Grains.Logs.Intake;

/// <summary>
/// How many bytes of requests this silo holds at once, from before they are read until they are answered. What does not fit is turned away before any work;
/// what fits is held against its service's share once the service is known, so that one loud service leaves room for the others.
/// </summary>
/// <remarks>Thread-safe. Counts bytes as they are held here: compressed bytes while they are compressed, all of them afterwards.</remarks>
/// <param name="maxBytes">Of all requests.</param>
/// <param name="share">Of one service: a part of <paramref name="maxBytes"/>, from 0 to 1.</param>
public sealed class Admission(long maxBytes, double share)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _ofServices = new(StringComparer.Ordinal);
    private long _held;

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

    /// <summary>Takes in a request of so many bytes; null when it does not fit. A request larger than everything is let in when nothing else is there.</summary>
    public Ticket? Admit(long bytes)
    {
        lock (_lock)
        {
            if (_held > 0 && _held + bytes > maxBytes)
            {
                TurnedAway++;
                return null;
            }

            _held += bytes;
            return new(this, bytes);
        }
    }

    /// <summary>A request that was let in. Disposing it makes room again; twice is once.</summary>
    public sealed class Ticket : IDisposable
    {
        private readonly Admission _admission;
        private string? _service;
        private long _bytes;

        internal Ticket(Admission admission, long bytes)
        {
            _admission = admission;
            _bytes = bytes;
        }

        /// <summary>It turned out to be larger, or smaller. False when it does not fit: the ticket stays as it was.</summary>
        public bool Resize(long bytes)
        {
            lock (_admission._lock)
            {
                var more = bytes - _bytes;
                if (more > 0 && _admission._held > _bytes && _admission._held + more > _admission.MaxBytes)
                {
                    _admission.TurnedAway++;
                    return false;
                }

                _admission._held += more;
                if (_service is not null)
                {
                    _admission.Add(_service, more);
                }

                _bytes = bytes;
                return true;
            }
        }

        /// <summary>Whose it is (of several services, the one with the most records). False when that service holds its share already and others are there too.</summary>
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
                _admission._held -= _bytes;
                if (_service is not null)
                {
                    _admission.Add(_service, -_bytes);
                }

                _bytes = 0;
                _service = null;
            }
        }
    }

    private double Share => share;

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
