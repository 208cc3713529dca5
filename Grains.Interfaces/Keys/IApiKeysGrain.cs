using System.Collections.Immutable;

namespace Grains.Interfaces.Keys;

/// <summary>The API keys of the cluster, with which HTTP and gRPC are opened. The key is always 0.</summary>
[Alias("keys.IApiKeysGrain")]
public interface IApiKeysGrain : IGrainWithIntegerKey
{
    /// <summary>Makes a key. Its secret is in the answer and nowhere else: what is kept is a hash.</summary>
    [Alias("Add")]
    Task<AddKeyReply> Add(string name, ApiRole role, CancellationToken cancel = default);

    /// <summary>In order of their names.</summary>
    [Alias("List")]
    Task<ImmutableArray<ApiKeyLine>> List(CancellationToken cancel = default);

    /// <summary>
    /// Removes a key; false when there was none. Every door refuses it within five seconds. After the last one the doors stay closed to
    /// callers without a key.
    /// </summary>
    [Alias("Revoke")]
    Task<bool> Revoke(string name, CancellationToken cancel = default);

    /// <summary>
    /// Whether callers without a key are let in, on a silo's own machine: no key was made yet, or <see cref="Open"/> came after the last
    /// was revoked.
    /// </summary>
    [Alias("IsOpen")]
    Task<bool> IsOpen(CancellationToken cancel = default);

    /// <summary>
    /// Lets callers without a key in again, on a silo's own machine; false, and nothing is changed, while there are keys.
    /// </summary>
    [Alias("Open")]
    Task<bool> Open(CancellationToken cancel = default);

    /// <summary>So many are kept at most.</summary>
    const int MaxKeys = 500;

    const int MaxNameLength = 60;
}

/// <summary>What the bearer of a key may do; each role may do what those before it may.</summary>
public enum ApiRole
{
    /// <summary>Look at everything that systems show.</summary>
    Reader,

    /// <summary>Start, change and delete work.</summary>
    Writer,

    /// <summary>Look into the cluster itself.</summary>
    Operator,
}

/// <param name="Secret">What the bearer sends; null when no key was made.</param>
/// <param name="Error">Why none was made, a sentence; null when one was.</param>
[GenerateSerializer, Immutable, Alias("keys.AddKeyReply")]
public sealed record AddKeyReply([property: Id(0)] string? Secret, [property: Id(1)] string? Error)
{
    /// <summary>Why none was made, for programs.</summary>
    [Id(2)]
    public AddKeyRefusal Refusal { get; init; }
}

/// <summary>Why no key was made.</summary>
public enum AddKeyRefusal
{
    /// <summary>One was made; or the silo is of a version that says it in the sentence only.</summary>
    None,

    /// <summary>The name is none.</summary>
    Name,

    /// <summary>The role is none.</summary>
    Role,

    /// <summary>There is a key of that name.</summary>
    Exists,

    /// <summary>As many are kept as may be.</summary>
    Full,

    /// <summary>The store did not say whether it was kept.</summary>
    Unknown,
}

[GenerateSerializer, Immutable, Alias("keys.ApiKeyLine")]
public sealed record ApiKeyLine([property: Id(0)] string Name, [property: Id(1)] ApiRole Role, [property: Id(2)] DateTimeOffset AddedAt);
