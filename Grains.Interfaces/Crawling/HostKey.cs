namespace Grains.Interfaces.Crawling;

/// <summary>
/// The host and port that share one clock: <c>example.org</c> for http on 80 and https on 443, <c>example.org:8080</c> else,
/// with IPv6 literals in brackets. The text is canonical: lower case, IDNA in ASCII.
/// </summary>
[GenerateSerializer, Immutable, Alias("crawling.HostKey")]
public readonly record struct HostKey([property: Id(0)] string Value)
{
    public override string ToString() => Value;
}
