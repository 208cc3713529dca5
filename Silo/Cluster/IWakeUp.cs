namespace Silo.Cluster;

/// <summary>
/// How one system finds again what sleeps: after a crash nobody holds its grains in memory, and what they took on is in the store.
/// </summary>
public interface IWakeUp
{
    /// <summary>The system's: <c>crawling</c>. One wake-up per name.</summary>
    string Name { get; }

    /// <summary>Wakes what is due. It may come at any time, from several silos at once, and again before the last one ended.</summary>
    Task Wake(CancellationToken cancel);
}
