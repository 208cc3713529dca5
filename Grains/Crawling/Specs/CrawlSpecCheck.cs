using System.Collections.Immutable;
using Grains.Crawling.Fields;
using Grains.Crawling.Rows;
using Grains.Crawling.Sessions;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Net;

namespace Grains.Crawling.Specs;

/// <summary>Whether a crawl may begin: every thing that is wrong is a sentence of its own.</summary>
public static class CrawlSpecCheck
{
    /// <summary>Characters of all seeds together.</summary>
    public const int MaxSeedCharacters = 64 * 1024;

    /// <summary>
    /// Bytes of what was asked as it is stored, with everything in canonical form: it goes into one row, and along with calls.
    /// </summary>
    public const int MaxBytes = 256 * 1024;

    private static readonly TimeSpan MaxEvery = TimeSpan.FromDays(365);

    private static readonly TimeSpan MaxHostTime = TimeSpan.FromDays(365);

    /// <summary>Nothing is wrong when the answer is empty; then <paramref name="canonical"/> has canonical seeds, each once.</summary>
    public static ImmutableArray<string> Check(CrawlSpec spec, SiloLimits limits, out CrawlSpec? canonical)
    {
        canonical = null;
        var errors = ImmutableArray.CreateBuilder<string>();
        if (CrawlBoundary.TryCreate(spec, out var boundary, out var wrong))
        {
            canonical = spec with { Seeds = [.. boundary.Seeds.Select(seed => seed.Text)] };
        }
        else
        {
            errors.AddRange(wrong);
        }

        if (spec.Seeds.Sum(seed => seed.Length) > MaxSeedCharacters)
        {
            errors.Add($"The seeds have more than {MaxSeedCharacters} characters together. Start with fewer; links lead to the others.");
        }

        if (
            spec.Name is { } name
            && (
                name.Length is 0 or > 60
                || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
                || CrawlId.TryParse(name, out _)
            )
        )
        {
            errors.Add(
                $"\"{name}\" is no name for a crawl: 1 to 60 letters, digits, \".\", \"_\" and \"-\", and not of the form of an "
                    + $"id ({CrawlId.Length} small letters and digits)."
            );
        }

        if (canonical is not null && CrawlJson.Write(canonical).Length > MaxBytes)
        {
            errors.Add($"The seeds, patterns and ranges take more than {MaxBytes / 1024} KiB together. Start with fewer.");
        }

        if (!Enum.IsDefined(spec.Scope))
        {
            errors.Add($"There is no scope {spec.Scope}: host, domain, prefix and any are known.");
        }

        CheckRange(errors, spec.MaxPages, 1, 1_000_000_000, "The limit of pages");
        CheckRange(errors, spec.MaxDepth, 0, 100_000, "The limit of depth");
        CheckRange(errors, spec.Concurrency, 1, 256, "Requests to one host at once");
        CheckRange(errors, spec.Parallel, 1, 1024, "Requests of the crawl at once");
        if (!Enum.IsDefined(spec.Keep))
        {
            errors.Add($"There is no way {spec.Keep} to keep pages: none, html and all are known.");
        }

        if (!Enum.IsDefined(spec.Sitemaps))
        {
            errors.Add($"There is no use {spec.Sitemaps} of sitemaps: also, only and no are known.");
        }

        if (boundary is not null)
        {
            _ = CrawlSession.Create(spec, boundary.Seeds, out var session);
            errors.AddRange(session);
            CheckRobots(errors, spec, boundary.Seeds, limits.OwnHosts);
        }

        if (spec.Proxy is { } proxy && limits.Proxies.Find(proxy) is null)
        {
            errors.Add(limits.Proxies.Missing(UrlFaults.Shorten(proxy)));
        }

        if (spec.Accept.Length > CrawlSpec.MaxPatterns || !spec.Accept.All(IsMediaRange))
        {
            errors.Add($"Accepted are at most {CrawlSpec.MaxPatterns} media types, such as text/html or image/*.");
        }

        if (spec.DropParams.Length > CrawlSpec.MaxPatterns || spec.DropParams.Any(name => name.Length is 0 or > 200))
        {
            errors.Add($"Dropped are at most {CrawlSpec.MaxPatterns} query parameters, with names of 1 to 200 characters.");
        }

        errors.AddRange(FieldSelector.Check(spec.Fields, out _));
        CheckRange(errors, spec.MaxPathDepth, 0, 1_000, "The limit of path segments");
        CheckRange(errors, spec.MaxRepeats, 0, 1_000, "The limit of repeated segments");
        CheckRange(errors, spec.MaxKeptBytes, 1, 1L << 50, "The limit of kept pages in bytes");
        CheckRange(errors, spec.MaxBodyBytes, 1, 256 * 1024 * 1024, "The limit of a body in bytes");
        CheckRange(errors, spec.HostPages, 1, 1_000_000_000, "The limit of pages of a host");
        CheckRange(errors, spec.HostBytes, 1, 1L << 50, "The limit of bytes of a host");
        CheckRange(errors, spec.HostErrors, 1, 1_000_000_000, "The limit of errors of a host");
        CheckTime(errors, spec.HostTime ?? MaxHostTime, TimeSpan.FromSeconds(1), MaxHostTime, "The limit of time of a host");
        CheckTime(errors, spec.Every ?? MaxEvery, TimeSpan.FromMinutes(1), MaxEvery, "The time from round to round");
        CheckTime(errors, spec.Delay, TimeSpan.Zero, TimeSpan.FromHours(1), "The delay");
        CheckTime(errors, spec.Timeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5), "The time-out of a fetch");
        CheckPrivate(errors, spec, limits);
        return errors.ToImmutable();
    }

    /// <summary>
    /// The private ranges that a crawl may connect to: what the silo allows, narrowed to what the crawl names. A crawl's own ranges count
    /// by
    /// themselves only while the silo listens on loopback: whoever can talk to it then can connect there anyway.
    /// </summary>
    public static AddressRanges Allowed(CrawlSpec spec, SiloLimits limits)
    {
        var isGood = spec.AllowPrivate.IsEmpty
            ? AddressRanges.TryParse(limits.AllowPrivate, out var ranges, out var error)
            : AddressRanges.TryParse(spec.AllowPrivate, out ranges, out error);
        return isGood ? ranges! : throw new FormatException(error);
    }

    private static bool IsMediaRange(string text) =>
        text.Split('/') is [{ Length: > 0 } type, { Length: > 0 } subtype]
        && type.Concat(subtype).All(c => char.IsAsciiLetterOrDigit(c) || c is '*' or '+' or '-' or '.' or '_');

    private static void CheckRobots(ImmutableArray<string>.Builder errors, CrawlSpec spec, IEnumerable<CanonicalUrl> seeds, OwnHosts own)
    {
        if (!spec.IgnoreRobots || seeds.FirstOrDefault(seed => !own.Contains(seed.HostKey)) is not { } foreign)
        {
            return;
        }

        errors.Add(
            own.IsEmpty
                ? "This silo names no hosts of its own, so robots.txt counts everywhere. Start it with --Crawling:OwnHosts and the hosts "
                    + "whose robots.txt may be ignored."
                : $"{foreign.HostKey} is none of the silo's own hosts ({own}; Crawling:OwnHosts), so its robots.txt counts."
        );
    }

    private static void CheckPrivate(ImmutableArray<string>.Builder errors, CrawlSpec spec, SiloLimits limits)
    {
        if (spec.AllowPrivate.IsEmpty)
        {
            return;
        }

        if (!AddressRanges.TryParse(spec.AllowPrivate, out var own, out var error))
        {
            errors.Add(error);
            return;
        }

        if (!AddressRanges.TryParse(limits.AllowPrivate, out var silo, out error))
        {
            errors.Add(error);
        }
        else if (!own.IsWithin(silo) && !(limits.AllowPrivate.Length == 0 && limits.ListensOnLoopback))
        {
            errors.Add(
                limits.AllowPrivate.Length == 0
                    ? "This silo allows no private addresses. Start it with --Crawling:AllowPrivate and the ranges that crawls "
                        + "may connect to."
                    : $"This silo allows the private addresses {limits.AllowPrivate}; a crawl can narrow that, not widen it."
            );
        }
    }

    private static void CheckRange(ImmutableArray<string>.Builder errors, long? value, long least, long most, string what)
    {
        if (value < least || value > most)
        {
            errors.Add($"{what}: {least} to {most}; this is {value}.");
        }
    }

    private static void CheckTime(ImmutableArray<string>.Builder errors, TimeSpan value, TimeSpan least, TimeSpan most, string what)
    {
        if (value < least || value > most)
        {
            errors.Add($"{what}: {least.TotalSeconds} s to {most.TotalSeconds} s; this is {value.TotalSeconds} s.");
        }
    }
}
