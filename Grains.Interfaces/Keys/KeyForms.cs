using System.Collections.Immutable;

namespace Grains.Interfaces.Keys;

/// <summary>A key as programs read it, without its secret.</summary>
public sealed record ApiKeyForm(string Name, ApiRole Role, DateTimeOffset AddedAt)
{
    public static ApiKeyForm Of(ApiKeyLine line) => new(line.Name, line.Role, line.AddedAt);
}

/// <summary>The keys that are known, in order of their names.</summary>
public sealed record ApiKeyListForm(ImmutableArray<ApiKeyForm> Keys);

/// <summary>A key that is asked for.</summary>
/// <param name="Name">1 to 60 letters, digits, <c>-</c> and <c>_</c>.</param>
public sealed record AddKeyForm(string Name, ApiRole Role)
{
    /// <summary>Of the body.</summary>
    public const int MaxBytes = 4096;
}

/// <summary>A key that was made.</summary>
/// <param name="Key">What its bearer sends. It is here and nowhere else: what is kept is a hash.</param>
public sealed record AddedKeyForm(string Name, ApiRole Role, string Key);

/// <summary>A key that was revoked.</summary>
/// <param name="Left">
/// How many keys there are still. When it was the last, HTTP and gRPC stay closed to everybody until one is made at the console.
/// </param>
public sealed record RevokedKeyForm(string Name, bool Revoked, int Left);
