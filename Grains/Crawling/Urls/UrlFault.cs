namespace Grains.Crawling.Urls;

/// <summary>Why a text is no <see cref="CanonicalUrl"/>.</summary>
internal enum UrlFault
{
    None,
    Empty,
    NoScheme,
    OtherScheme,
    NoHost,
    Host,
    Ipv4,
    Ipv6,
    Port,
    TooLong,
}

internal static class UrlFaults
{
    private const int Shown = 60;

    public static string Say(UrlFault fault, ReadOnlySpan<char> text)
    {
        text = UrlParser.TrimControls(text);
        return fault switch
        {
            UrlFault.Empty => "it is empty; an http or https URL is wanted",
            UrlFault.NoScheme => $"it has no scheme; {Suggest(text)}",
            UrlFault.OtherScheme => $"{Shorten(text[..(text.IndexOf(':') + 1)])} is not http or https{SuggestForPort(text)}",
            UrlFault.NoHost => "it names no host; http://host/path is wanted",
            UrlFault.Host => "its host is not a name that can be looked up",
            UrlFault.Ipv4 => "its host ends in a number and so must be an IPv4 address, which it is not",
            UrlFault.Ipv6 => "its host in brackets is not an IPv6 address",
            UrlFault.Port => "its port is not a number from 0 to 65535",
            UrlFault.TooLong => $"it is longer than {CanonicalUrl.MaxLength} characters in canonical form",
            _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, "Not a fault of a URL."),
        };
    }

    private static string Suggest(ReadOnlySpan<char> text) =>
        UrlParser.Parse($"https://{text}", null, out var meant) == UrlFault.None && meant!.Text.Length <= 2 * Shown
            ? $"did you mean {meant.Text}?"
            : "it must begin with http:// or https://";

    // In localhost:8080 the name before the colon reads as a scheme.
    private static string SuggestForPort(ReadOnlySpan<char> text)
    {
        var after = text[(text.IndexOf(':') + 1)..];
        return !after.IsEmpty && char.IsAsciiDigit(after[0]) && UrlParser.Parse($"http://{text}", null, out var meant) == UrlFault.None
            ? $"; did you mean {meant!.Text}?"
            : "";
    }

    public static string Shorten(ReadOnlySpan<char> text) => text.Length <= Shown ? text.ToString() : $"{text[..Shown]}…";
}
