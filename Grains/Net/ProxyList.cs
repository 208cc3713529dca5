using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Grains.Net;

/// <summary>A proxy that the operator named. Its text is its name: neither address nor credentials go anywhere else.</summary>
/// <param name="Address">Without user name and password.</param>
/// <param name="Credentials">Null: the proxy asks for none.</param>
public sealed record NamedProxy(string Name, Uri Address, NetworkCredential? Credentials)
{
    public override string ToString() => Name;
}

/// <summary>The proxies of a silo by name, as they stand in settings: <c>NAME=URL</c>, between commas.</summary>
public sealed class ProxyList
{
    /// <summary>More are refused.</summary>
    public const int MaxProxies = 20;

    private static readonly ImmutableArray<string> s_schemes = ["http", "socks5"];

    private readonly ImmutableSortedDictionary<string, NamedProxy> _proxies;

    private ProxyList(ImmutableSortedDictionary<string, NamedProxy> proxies) => _proxies = proxies;

    public static ProxyList None { get; } = new(ImmutableSortedDictionary.Create<string, NamedProxy>(StringComparer.Ordinal));

    public IEnumerable<string> Names => _proxies.Keys;

    public NamedProxy? Find(string name) => _proxies.GetValueOrDefault(name);

    /// <summary>Why there is no proxy of this name: a sentence with the names that there are.</summary>
    public string Missing(string name) =>
        _proxies.IsEmpty
            ? $"There is no proxy \"{name}\": this silo names none. Start it with --Crawling:Proxies {name}=URL."
            : $"There is no proxy \"{name}\": this silo names {string.Join(", ", Names)} (Crawling:Proxies).";

    /// <param name="list">Null when one of the proxies is none.</param>
    public static bool TryParse(string? commaSeparated, [NotNullWhen(true)] out ProxyList? list)
    {
        list = null;
        var proxies = None._proxies.ToBuilder();
        foreach (var text in (commaSeparated ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!TryParseOne(text, out var proxy) || !proxies.TryAdd(proxy.Name, proxy) || proxies.Count > MaxProxies)
            {
                return false;
            }
        }

        list = proxies.Count == 0 ? None : new(proxies.ToImmutable());
        return true;
    }

    private static bool TryParseOne(string text, [NotNullWhen(true)] out NamedProxy? proxy)
    {
        proxy = null;
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? "" : text[..equals].Trim();
        if (
            name.Length is 0 or > 40
            || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            || !Uri.TryCreate(text[(equals + 1)..].Trim(), UriKind.Absolute, out var url)
            || !s_schemes.Contains(url.Scheme)
            || url.Host.Length == 0
            || url.PathAndQuery is not ("/" or "")
            || url.Fragment.Length > 0
        )
        {
            return false;
        }

        var user = url.UserInfo.Split(':', 2);
        proxy = new(
            name,
            new UriBuilder(url.Scheme, url.DnsSafeHost, url.Port > 0 ? url.Port : 1080).Uri,
            url.UserInfo.Length == 0 ? null : new(Uri.UnescapeDataString(user[0]), Uri.UnescapeDataString(user.Length == 2 ? user[1] : ""))
        );
        return true;
    }
}

/// <summary>
/// Accepts the text of a <see cref="ProxyList"/>, also none. What was given is not repeated in the error: it may hold a password.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ProxiesSettingAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => ProxyList.TryParse(value as string, out _);

    public override string FormatErrorMessage(string name) =>
        $"{name} is a list of at most {ProxyList.MaxProxies} proxies, each with a name of its own, such as "
        + "office=http://user:password@10.0.0.5:3128,far=socks5://proxy.example:1080, or nothing.";
}
