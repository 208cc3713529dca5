using System.Collections.Immutable;

namespace Grains.Interfaces.Books;

/// <summary>
/// One system's account of what came in and what became of it: <c>in = done + refused (by reason) + waiting</c>.
/// The four parts are counted apart from each other, each in the commit of what it counts; none is derived from the others.
/// </summary>
/// <param name="System"><c>crawling</c>, <c>logs</c> or <c>orders</c>.</param>
/// <param name="Name">What is counted, in the plural: <c>urls</c>.</param>
/// <param name="Bound">How much may wait at most.</param>
/// <param name="WhenFull">What is answered when that much waits: one sentence.</param>
[GenerateSerializer, Immutable, Alias("books.Account")]
public sealed record Account(
    [property: Id(0)] string System,
    [property: Id(1)] string Name,
    [property: Id(2)] long In,
    [property: Id(3)] long Done,
    [property: Id(4)] ImmutableSortedDictionary<string, long> Refused,
    [property: Id(5)] long Waiting,
    [property: Id(6)] long Bound,
    [property: Id(7)] string WhenFull
)
{
    /// <summary>
    /// Why the sums are not to be believed although they agree: what they count stands. Null while there is no such reason.
    /// </summary>
    [Id(8)]
    public string? Doubt { get; init; }

    public bool Balances => Doubt is null && In == Done + Refused.Values.Sum() + Waiting;
}
