using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Urls;

/// <summary>
/// The hosts that the operator calls his own: <c>intranet.example</c> with any port, <c>intranet.example:8443</c> with this one,
/// <c>*.test.example</c> for each host below.
/// </summary>
public sealed class OwnHosts
{
    /// <summary>More are refused.</summary>
    public const int MaxHosts = 100;

    private readonly ImmutableArray<string> _hosts;

    private OwnHosts(ImmutableArray<string> hosts) => _hosts = hosts;

    public static OwnHosts None { get; } = new([]);

    public bool IsEmpty => _hosts.IsEmpty;

    /// <summary>As they stand in settings.</summary>
    public override string ToString() => string.Join(", ", _hosts);

    public bool Contains(HostKey host)
    {
        if (IsEmpty)
        {
            return false;
        }

        var name = UrlHost.NameOf(host);
        return _hosts.Any(own => own == host.Value || own == name || (own[0] == '*' && name.EndsWith(own[1..], StringComparison.Ordinal)));
    }

    /// <param name="hosts">Null when one of the texts is no host.</param>
    public static bool TryParse(string? commaSeparated, [NotNullWhen(true)] out OwnHosts? hosts)
    {
        hosts = null;
        var parsed = ImmutableArray.CreateBuilder<string>();
        foreach (var text in (commaSeparated ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var isBelow = text.StartsWith("*.", StringComparison.Ordinal);
            if (
                parsed.Count == MaxHosts
                || !CanonicalUrl.TryParse($"http://{(isBelow ? text[2..] : text)}/", baseUrl: null, out var url)
                || url.PathAndQuery != "/"
                || url.Host.Contains('*', StringComparison.Ordinal)
                || text.Contains('@', StringComparison.Ordinal)
                || (isBelow && url.HostKey.Value != url.Host)
            )
            {
                return false;
            }

            parsed.Add(isBelow ? "*." + url.Host : url.HostKey.Value);
        }

        hosts = parsed.Count == 0 ? None : new(parsed.ToImmutable());
        return true;
    }
}

/// <summary>Accepts the text of <see cref="OwnHosts"/>, also none.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OwnHostsSettingAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => OwnHosts.TryParse(value as string, out _);

    public override string FormatErrorMessage(string name) =>
        $"{name} is a list of at most {OwnHosts.MaxHosts} hosts, such as intranet.example,10.1.2.3:8443,*.test.example, or nothing.";
}
