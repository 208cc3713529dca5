namespace Grains.Interfaces.Crawling;

/// <summary>
/// The address of a server: the hosts that have it take turns there, so that they are asked at one pace (<see cref="CrawlSpec.PerIp"/>).
/// The key is the address, such as <c>192.0.2.7</c>.
/// </summary>
[Alias("crawling.IAddressGrain")]
public interface IAddressGrain : IGrainWithStringKey
{
    /// <summary>
    /// Gives a host the turn, durably, if it is the host's: nobody holds it, the delay since the last one has passed, and no host waits
    /// that asked before. Otherwise says when to ask again; a host that does not keeps its place for
    /// <see cref="AddressTurn.Patience"/> beyond that.
    /// </summary>
    /// <param name="delay">Between the end of the last turn and this one; the longer one of both hosts counts.</param>
    /// <param name="hold">For so long at most the host keeps the turn: then others may have it.</param>
    [Alias("Take")]
    Task<AddressTurn> Take(HostKey host, TimeSpan delay, TimeSpan hold, CancellationToken cancel = default);

    /// <summary>The request for which the turn was taken has ended, or was not made. If this is lost, the turn ends by its time.</summary>
    [Alias("GiveBack")]
    Task GiveBack(HostKey host, long turn, CancellationToken cancel = default);
}

/// <summary>Whether it is a host's turn at an address.</summary>
/// <param name="Number">Of the turn; 0: it is not the host's.</param>
/// <param name="Wait">Before it is worth asking again; zero with a turn.</param>
/// <param name="Ahead">Hosts that have the turn or asked for it before.</param>
[GenerateSerializer, Immutable, Alias("crawling.AddressTurn")]
public readonly record struct AddressTurn([property: Id(0)] long Number, [property: Id(1)] TimeSpan Wait, [property: Id(2)] int Ahead)
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
}
