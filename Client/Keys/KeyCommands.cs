using System.CommandLine;
using System.Globalization;
using Grains.Interfaces.Keys;

namespace Client.Keys;

/// <summary><c>keys add|list|revoke</c></summary>
internal static class KeyCommands
{
    public static Command Add(Verbs verbs)
    {
        var name = Name($"A name for the key, to be recognised by: {Names}.");
        name.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(token => !IsName(token.Value)))
            {
                result.AddError($"\"{token.Value}\" is no name for a key: {Names}");
            }
        });
        var role = new Option<string>("--role")
        {
            Description = "A reader looks; a writer starts, changes and deletes work too; an operator looks into the cluster as well.",
            HelpName = "reader|writer|operator",
            Required = true,
        };
        role.AcceptOnlyFromAmong("reader", "writer", "operator");
        return verbs.Act(
            new("add", "Make an API key. It is shown once; the cluster keeps a hash of it.") { name, role },
            (session, parsed, cancel) =>
                Add(session, parsed.GetRequiredValue(name), Enum.Parse<ApiRole>(parsed.GetRequiredValue(role), ignoreCase: true), cancel)
        );
    }

    public static Command List(Verbs verbs)
    {
        var limit = new Limit("keys");
        return verbs.Read(new("list", "The keys that are known, without their secrets.") { limit.Option }, (session, parsed, cancel) =>
            List(session, limit.Of(parsed), cancel)
        );
    }

    public static Command Revoke(Verbs verbs)
    {
        var name = Name("The name of the key.");
        return verbs.Act(
            new(
                "revoke",
                "Make a key worthless; every silo refuses it within five seconds. After the last one HTTP and gRPC stay closed "
                    + "until another is made, or \"keys open\"."
            )
            {
                name,
            },
            (session, parsed, cancel) => Revoke(session, parsed.GetRequiredValue(name), cancel)
        );
    }

    public static Command Open(Verbs verbs)
    {
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask. Needed where nobody can be asked." };
        return verbs.Act(
            new("open", "After the last key was revoked: let everybody on a silo's machine in again without a key, to do everything.")
            {
                yes,
            },
            (session, parsed, cancel) => Open(session, parsed.GetValue(yes), cancel)
        );
    }

    private static readonly string Names = $"1 to {IApiKeysGrain.MaxNameLength} letters, digits, \"-\" and \"_\"";

    private static bool IsName(string text) =>
        text.Length is > 0 and <= IApiKeysGrain.MaxNameLength && text.All(sign => char.IsAsciiLetterOrDigit(sign) || sign is '-' or '_');

    private static Argument<string> Name(string description) => new("name") { Description = description };

    private static async Task<int> Add(Session session, string name, ApiRole role, CancellationToken cancel)
    {
        var reply = await (await session.Cluster(cancel)).Keys.Add(name, role, cancel);
        if (reply.Secret is not { } secret)
        {
            throw new ConsoleException(reply.Error!);
        }

        if (session.Json)
        {
            session.Terminal.Json(new AddedKeyForm(name, role, secret));
        }
        else
        {
            // The key alone on the output: KEY=$(… keys add …) is then all that a script needs.
            session.Terminal.Note("This is shown once. Send it as \"Authorization: Bearer KEY\" or \"X-Api-Key: KEY\".");
            session.Terminal.Line(secret);
        }

        return ExitCode.Done;
    }

    private static async Task<int> List(Session session, int limit, CancellationToken cancel)
    {
        var keys = await (await session.Cluster(cancel)).Keys.List(cancel);
        var shown = keys.Take(limit);
        if (session.Json)
        {
            foreach (var key in shown)
            {
                session.Terminal.Json(ApiKeyForm.Of(key));
            }
        }
        else if (keys.IsEmpty)
        {
            session.TellNothing(
                await (await session.Cluster(cancel)).Keys.IsOpen(cancel)
                    ? "There is no key: HTTP is open to everybody on the silo's machine, and to nobody else."
                    : "There is no key any more: HTTP is closed to everybody until one is made. \"keys open\" opens it to "
                        + "everybody on the silo's machine."
            );
        }
        else
        {
            var listing = new Listing().Column("key", isId: true).Column("role").Column("made");
            foreach (var key in shown)
            {
                listing.Row(
                    key.Name,
                    key.Role.ToString().ToLowerInvariant(),
                    key.AddedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)
                );
            }

            listing.WriteTo(session.Terminal);
        }

        session.End(ListEnd.Of(keys.Length, limit), "keys");
        return ExitCode.Done;
    }

    private static async Task<int> Revoke(Session session, string name, CancellationToken cancel)
    {
        if (!await (await session.Cluster(cancel)).Keys.Revoke(name, cancel))
        {
            throw new ConsoleException($"There is no key \"{Terminal.Clean(name)}\"; \"keys list\" shows those that are known.");
        }

        var left = (await (await session.Cluster(cancel)).Keys.List(cancel)).Length;
        session.Tell(new RevokedKeyForm(name, Revoked: true, left), $"Key {Terminal.Clean(name)} is revoked.", name);
        if (left == 0)
        {
            session.TellNothing(
                "It was the last: HTTP and gRPC stay closed to everybody until another is made. \"keys open\" opens them to "
                    + "everybody on the silo's machine."
            );
        }

        return ExitCode.Done;
    }

    private static async Task<int> Open(Session session, bool yes, CancellationToken cancel)
    {
        await Confirm.Ask(
            session,
            yes,
            "to let everybody on the silo's machine do everything without a key",
            "Let everybody on the silo's machine do everything without a key?",
            cancel
        );
        if (!await (await session.Cluster(cancel)).Keys.Open(cancel))
        {
            throw new ConsoleException("There are keys, so HTTP stays closed without one; \"keys list\" shows them. Revoke them first.");
        }

        session.Tell(new { open = true }, "HTTP and gRPC are open to everybody on the silo's machine, and to nobody else.");

        return ExitCode.Done;
    }
}
