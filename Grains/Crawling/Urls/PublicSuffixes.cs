using System.Collections.Frozen;

namespace Grains.Crawling.Urls;

/// <summary>
/// The Public Suffix List, embedded as it was on the day of <see cref="Version"/>: under which names anybody may register one, of both its
/// sections. Read at its first use; safe to share between threads.
/// </summary>
/// <remarks>Source: publicsuffix.org/list, its format and algorithm; the file is under the Mozilla Public License 2.0.</remarks>
public static class PublicSuffixes
{
    private static readonly Lazy<Rules> List = new(Read);

    /// <summary>The day of the list, such as <c>2026-08-19</c>.</summary>
    public static string Version => List.Value.Version;

    /// <summary>
    /// The name that somebody has registered, with its suffix: <c>example.co.uk</c> of <c>docs.example.co.uk</c>. Null when the host is an
    /// address or itself a public suffix.
    /// </summary>
    /// <param name="host">In canonical form: lower-case ASCII.</param>
    public static string? RegistrableDomain(string host)
    {
        if (host.EndsWith(']') || Ipv4.EndsInNumber(host))
        {
            return null;
        }

        var suffix = SuffixOf(host);
        if (suffix.Length == host.Length)
        {
            return null;
        }

        var before = host.LastIndexOf('.', host.Length - suffix.Length - 2);
        return host[(before + 1)..];
    }

    /// <summary>The registrable domain of a host, or the host itself where it has none.</summary>
    public static string DomainOf(string host) => RegistrableDomain(host) ?? host;

    /// <summary>The longest rule decides, an exception before a wildcard; without one the last label is the suffix.</summary>
    private static string SuffixOf(string host)
    {
        for (var name = host; ; )
        {
            var dot = name.IndexOf('.', StringComparison.Ordinal);
            if (dot < 0)
            {
                return name;
            }

            var parent = name[(dot + 1)..];
            if (List.Value.Exceptions.Contains(name))
            {
                return parent;
            }

            if (List.Value.Names.Contains(name) || List.Value.Wildcards.Contains(parent))
            {
                return name;
            }

            name = parent;
        }
    }

    private static Rules Read()
    {
        using var stream = typeof(PublicSuffixes).Assembly.GetManifestResourceStream("crawling/public_suffix_list.dat")
            ?? throw new InvalidOperationException("The Public Suffix List is not in the assembly.");
        using var reader = new StreamReader(stream);
        var version = "";
        var (names, wildcards, exceptions) = (new HashSet<string>(), new HashSet<string>(), new HashSet<string>());
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith("// VERSION: ", StringComparison.Ordinal))
            {
                version = line["// VERSION: ".Length..].Split('_')[0];
            }

            var rule = line.Split(' ', '\t')[0];
            if (rule.Length == 0 || rule.StartsWith("//", StringComparison.Ordinal))
            {
                continue;
            }

            var (name, kind) = rule[0] switch
            {
                '!' => (rule[1..], exceptions),
                '*' => (rule[2..], wildcards),
                _ => (rule, names),
            };
            if (UrlHost.Parse(name, out var host) == UrlFault.None)
            {
                kind.Add(host!);
            }
        }

        return new(
            version,
            names.ToFrozenSet(StringComparer.Ordinal),
            wildcards.ToFrozenSet(StringComparer.Ordinal),
            exceptions.ToFrozenSet(StringComparer.Ordinal)
        );
    }

    /// <param name="Wildcards">What follows <c>*.</c>.</param>
    /// <param name="Exceptions">What follows <c>!</c>.</param>
    private sealed record Rules(string Version, FrozenSet<string> Names, FrozenSet<string> Wildcards, FrozenSet<string> Exceptions);
}
