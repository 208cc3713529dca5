using System.Diagnostics.CodeAnalysis;
using System.Net;
using Grains.Net;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>
/// Which URLs an endpoint may have. A host that is written as an address, in whatever spelling, is looked at here too, so that its owner
/// hears at once;
/// what keeps requests from private machines is the check where the connection is made.
/// </summary>
public static class WebhookUrl
{
    /// <summary>Characters.</summary>
    public const int MaxLength = 2048;

    /// <param name="url">As it is asked for.</param>
    /// <param name="error">A sentence that says what is wrong and what would be right.</param>
    public static bool TryParse(
        string? text,
        bool allowHttp,
        AddressRanges allowPrivate,
        [NotNullWhen(true)] out Uri? url,
        [NotNullWhen(false)] out string? error
    )
    {
        url = null;
        error = Fault(text, allowHttp, allowPrivate, out var parsed);
        if (error is not null)
        {
            return false;
        }

        url = parsed!;
        return true;
    }

    private static string? Fault(string? text, bool allowHttp, AddressRanges allowPrivate, out Uri? url)
    {
        url = null;
        if (string.IsNullOrEmpty(text))
        {
            return "An endpoint has a URL such as https://example.org/hooks; this is empty.";
        }

        if (text.Length > MaxLength)
        {
            return $"An endpoint's URL has {MaxLength} characters at most; this has {text.Length}.";
        }

        if (
            text.Any(character => char.IsControl(character) || char.IsWhiteSpace(character))
            || text.Contains('\\', StringComparison.Ordinal)
            || !Uri.TryCreate(text, UriKind.Absolute, out url)
            || url.Host.Length == 0
        )
        {
            return "An endpoint's URL is absolute, such as https://example.org/hooks, without blanks and \"\\\"; this is not.";
        }

        if (url.Scheme != Uri.UriSchemeHttps && !(allowHttp && url.Scheme == Uri.UriSchemeHttp))
        {
            return allowHttp ? $"An endpoint's URL begins with https:// or http://; this begins with {url.Scheme}:."
                : url.Scheme == Uri.UriSchemeHttp
                    ? "An endpoint's URL begins with https://; http:// is taken only with the setting Webhooks:AllowHttp."
                : $"An endpoint's URL begins with https://; this begins with {url.Scheme}:.";
        }

        if (url.UserInfo.Length > 0 || text.AsSpan(0, End(text)).Contains('@'))
        {
            return "An endpoint's URL has no user and no password in it: what proves who calls is the signature.";
        }

        if (text.Contains('#', StringComparison.Ordinal))
        {
            return "An endpoint's URL has no fragment (\"#…\"): it is never sent.";
        }

        return IPAddress.TryParse(url.IdnHost, out var address) && PrivateAddresses.Refuses(address, allowPrivate)
            ? $"An endpoint's URL leads to a public address; {url.IdnHost} is {PrivateAddresses.Kind(address)}. The setting "
                + $"Webhooks:AllowPrivate names private ranges that are allowed."
            : null;
    }

    /// <summary>Where the authority ends.</summary>
    private static int End(string text)
    {
        var start = text.IndexOf("//", StringComparison.Ordinal) + 2;
        var end = text.AsSpan(start).IndexOfAny("/?#");
        return end < 0 ? text.Length : start + end;
    }
}
