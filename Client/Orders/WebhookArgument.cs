using System.CommandLine;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary>The endpoint that a verb is about: its id, or how it begins.</summary>
internal static class WebhookArgument
{
    public static Argument<string> Create() =>
        new("ID")
        {
            Description = "The endpoint's id, or how it begins.",
            Validators =
            {
                result =>
                {
                    foreach (var token in result.Tokens.Where(token => !IsBeginning(token.Value)))
                    {
                        result.AddError(
                            $"\"{token.Value}\" is no endpoint's id, nor the beginning of one: it would be {WebhookId.Length} "
                                + "small letters and digits"
                        );
                    }
                },
            },
        };

    /// <summary>
    /// The endpoint of this id, or the only one whose id begins so: for that, all endpoints are listed. Whether there is one of a whole id
    /// is not asked.
    /// </summary>
    /// <exception cref="ConsoleException">There is none, or there are several.</exception>
    public static async Task<string> Find(OrderDesk desk, string text, CancellationToken cancel) =>
        WebhookId.IsOne(text)
            ? text
            : IdPrefix.One(
                text,
                "endpoints",
                (await desk.Webhooks.List(cancel))
                    .Select(endpoint => endpoint.Id)
                    .Where(id => id.StartsWith(text, StringComparison.Ordinal))
            ) ?? throw None(text);

    public static ConsoleException None(string id) =>
        new($"There is no webhook \"{Terminal.Clean(id)}\"; \"orders webhooks list\" shows those that there are.");

    private static bool IsBeginning(string text) => text.Length > 0 && WebhookId.IsOne(text.PadRight(WebhookId.Length, '0'));
}
