using Grains.Interfaces.Keys;
using Microsoft.AspNetCore.Components.Authorization;
using Silo.Middleware;

namespace Silo.Page.Sessions;

/// <summary>
/// Who a circuit works for. Nothing inside a circuit passes the chain of HTTP, so whatever is asked or done there goes through here: the
/// session, the key's role and its rate are looked at as the chain would, and what changes something is logged.
/// </summary>
public sealed partial class PageCaller(
    AuthenticationStateProvider authentication,
    BrowserSessions sessions,
    RequestRates rates,
    Sentences sentences,
    ILogger<PageCaller> logger
)
{
    private const string Over = "This session is over: the key was revoked, or somebody logged out. Log in again.";

    /// <summary>The caller as it is now; null once the session is over.</summary>
    public async ValueTask<Caller?> Find(CancellationToken cancel = default) =>
        PageSession.Of((await authentication.GetAuthenticationStateAsync()).User) is { } session
            ? await sessions.Find(session, cancel)
            : null;

    /// <summary>Asks for something that a reader may see. A failure is the answer's sentence.</summary>
    public Task<Answer<T>> Ask<T>(Func<CancellationToken, Task<T>> read, CancellationToken cancel = default) =>
        Ask(ApiRole.Reader, (_, token) => read(token), cancel);

    public async Task<Answer<T>> Ask<T>(ApiRole role, Func<Caller, CancellationToken, Task<T>> read, CancellationToken cancel = default)
    {
        try
        {
            return await Find(cancel) is not { } caller ? new(default, Over)
                : Refusal(caller, role) is { } refusal ? new(default, refusal)
                : new(await read(caller, cancel), null);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception failure)
        {
            return new(default, sentences.Of(failure));
        }
    }

    /// <summary>Does something that changes something.</summary>
    /// <param name="command">The console's command for the same; it is logged, so no secret is in it.</param>
    public async Task<ActionResult> Act(
        ApiRole role,
        string command,
        Func<Caller, CancellationToken, Task<ActionResult>> act,
        CancellationToken cancel = default
    )
    {
        var answer = await Ask(
            role,
            async (caller, token) =>
            {
                var result = await act(caller, token);
                LogActed(caller.Name, command, result.Ok ? "done" : "refused");
                return result;
            },
            cancel
        );
        return answer.Value ?? ActionResult.Refused(answer.Error!);
    }

    /// <summary>Why this caller may not do it, in a sentence; null when it may. It counts against the rate of the key.</summary>
    private string? Refusal(Caller caller, ApiRole role) =>
        caller.Role < role
            ? $"The key \"{caller.Name}\" is for a {Word(caller.Role)}, and this is for a {Word(role)}."
            : rates.Refusal(caller.Name)?.Detail;

    private static string Word(ApiRole? role) => role?.ToString().ToLowerInvariant() ?? "nobody";

    [LoggerMessage(Level = LogLevel.Information, Message = "On the page, {Caller} asked for \"{Command}\": {Outcome}")]
    private partial void LogActed(string caller, string command, string outcome);
}
