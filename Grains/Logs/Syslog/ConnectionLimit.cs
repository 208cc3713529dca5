namespace Grains.Logs.Syslog;

/// <summary>
/// Which connections a listener keeps when there are as many as it takes: a new one gets the room of one that was idle for five seconds;
/// when none was, of one of the peer that has the most,
/// if that is more than a quarter of all and not the new one's peer; otherwise the new one is refused. Of several, the one that was idle
/// longest goes.
/// </summary>
/// <remarks>Told the time. Not thread-safe.</remarks>
/// <param name="max">Connections at once.</param>
/// <typeparam name="T">A connection.</typeparam>
public sealed class ConnectionLimit<T>(int max)
    where T : class
{
    /// <summary>A connection that sent nothing for so long may be closed for another one.</summary>
    private static readonly TimeSpan IdleAfter = TimeSpan.FromSeconds(5);

    private readonly Dictionary<T, (string Peer, DateTimeOffset LastSeen)> _connections = [];

    public int Count => _connections.Count;

    /// <summary>A connection came.</summary>
    /// <param name="peer">The address that it came from.</param>
    /// <param name="evicted">The connection to be closed for it; null when there is room, or when it is refused.</param>
    /// <returns>False: it is refused.</returns>
    public bool TryAdd(T connection, string peer, DateTimeOffset now, out T? evicted)
    {
        evicted = null;
        if (_connections.Count >= max)
        {
            var oldest = _connections.MinBy(entry => entry.Value.LastSeen);
            if (now - oldest.Value.LastSeen < IdleAfter)
            {
                var most = _connections.GroupBy(entry => entry.Value.Peer, StringComparer.Ordinal).MaxBy(peers => peers.Count())!;
                if (most.Key == peer || most.Count() <= max / 4)
                {
                    return false;
                }

                oldest = most.MinBy(entry => entry.Value.LastSeen);
            }

            evicted = oldest.Key;
            _connections.Remove(evicted);
        }

        _connections.Add(connection, (peer, now));
        return true;
    }

    /// <summary>Bytes came on it.</summary>
    public void Seen(T connection, DateTimeOffset now)
    {
        if (_connections.TryGetValue(connection, out var known))
        {
            _connections[connection] = known with { LastSeen = now };
        }
    }

    /// <summary>It ended.</summary>
    public void Remove(T connection) => _connections.Remove(connection);
}
