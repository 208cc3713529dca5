using System.Security.Claims;
using Silo.Middleware;

namespace Silo.Page.Sessions;

/// <summary>Who looks at the page: a key that was given at the login, or anybody on this machine while there are no keys.</summary>
/// <param name="Id">32 digits of hex, by chance; empty without a login.</param>
/// <param name="Key">The name of the API key.</param>
/// <param name="KeyHash">The hash that the key is stored under, in hex: a later key of the same name is another key.</param>
/// <param name="Until">When the browser has to log in again.</param>
public sealed record PageSession(string Id, string Key, string KeyHash, DateTimeOffset Until)
{
    private const string Scheme = "page";

    /// <summary>Without a login, on a machine where no key was made.</summary>
    public static PageSession ThisMachine { get; } = new("", Caller.ThisMachine.Name, "", DateTimeOffset.MaxValue);

    public bool IsThisMachine => Id.Length == 0;

    /// <summary>As a circuit is told of it: nothing else of the request outlives the request.</summary>
    public ClaimsPrincipal ToPrincipal() =>
        new(
            new ClaimsIdentity(
                [
                    new(nameof(Id), Id),
                    new(ClaimTypes.Name, Key),
                    new(nameof(KeyHash), KeyHash),
                    new(nameof(Until), Until.UtcTicks.ToString(System.Globalization.CultureInfo.InvariantCulture)),
                ],
                Scheme
            )
        );

    /// <summary>Null for a principal that is none of <see cref="ToPrincipal"/>.</summary>
    public static PageSession? Of(ClaimsPrincipal principal) =>
        principal.Identity?.AuthenticationType == Scheme
            ? new(
                Claim(principal, nameof(Id)),
                Claim(principal, ClaimTypes.Name),
                Claim(principal, nameof(KeyHash)),
                new(long.Parse(Claim(principal, nameof(Until)), System.Globalization.CultureInfo.InvariantCulture), TimeSpan.Zero)
            )
            : null;

    private static string Claim(ClaimsPrincipal principal, string type) => principal.FindFirstValue(type)!;
}
