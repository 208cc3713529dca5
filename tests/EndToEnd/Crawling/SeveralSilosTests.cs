using Doubles.Crawling;

namespace EndToEnd.Crawling;

public sealed class SeveralSilosTests : SeveralSilosContract
{
    protected override Task<string[]> Store() => Task.FromResult<string[]>([]);
}
