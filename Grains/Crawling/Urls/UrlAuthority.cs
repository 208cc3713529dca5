using System.Globalization;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Urls;

/// <summary>Scheme, host and port, shared by all URLs that were resolved against one another.</summary>
internal sealed class UrlAuthority
{
    private UrlAuthority(bool https, string host, int port)
    {
        Https = https;
        Host = host;
        Port = port;
        var hostAndPort = port == (https ? 443 : 80) ? host : string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");
        HostKey = new(hostAndPort);
        Origin = $"{Scheme}://{hostAndPort}";
    }

    public bool Https { get; }

    public string Scheme => Https ? "https" : "http";

    public string Host { get; }

    public int Port { get; }

    public HostKey HostKey { get; }

    public string Origin { get; }

    public ReadOnlySpan<char> HostAndPort => HostKey.Value;

    /// <param name="text">What stands between the slashes after the scheme and the first <c>/</c>, <c>\</c>, <c>?</c> or <c>#</c>.</param>
    public static UrlFault Parse(bool https, ReadOnlySpan<char> text, out UrlAuthority? authority)
    {
        authority = null;
        if (text.Length > CanonicalUrl.MaxLength)
        {
            return UrlFault.TooLong;
        }

        text = text[(text.LastIndexOf('@') + 1)..];
        var colon = PortColon(text);
        var hostText = colon < 0 ? text : text[..colon];
        if (hostText.IsEmpty)
        {
            return UrlFault.NoHost;
        }

        var port = PortNumber(colon < 0 ? [] : text[(colon + 1)..], https);
        if (port < 0)
        {
            return UrlFault.Port;
        }

        var fault = UrlHost.Parse(hostText, out var host);
        if (fault == UrlFault.None)
        {
            authority = new(https, host!, port);
        }

        return fault;
    }

    /// <summary>The first colon outside brackets, which hold an IPv6 address.</summary>
    private static int PortColon(ReadOnlySpan<char> text)
    {
        var inBrackets = false;
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '[':
                    inBrackets = true;
                    break;
                case ']':
                    inBrackets = false;
                    break;
                case ':' when !inBrackets:
                    return i;
            }
        }

        return -1;
    }

    /// <summary>None written means the scheme's own; -1 when it is no port.</summary>
    private static int PortNumber(ReadOnlySpan<char> digits, bool https)
    {
        if (digits.IsEmpty)
        {
            return https ? 443 : 80;
        }

        var port = 0;
        foreach (var digit in digits)
        {
            port = (port * 10) + digit - '0';
            if (!char.IsAsciiDigit(digit) || port > ushort.MaxValue)
            {
                return -1;
            }
        }

        return port;
    }
}
