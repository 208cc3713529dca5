using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using Client.Values;
using Grains.Crawling.Fields;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Values;

namespace Client.Crawling;

/// <summary><c>crawl start &lt;seed&gt;...</c></summary>
internal sealed class StartCommand
{
    private static readonly CrawlSpec Defaults = new() { Seeds = [] };

    private readonly Argument<string[]> _seeds = new("seed")
    {
        Description = "URLs to begin with, http or https.",
        Arity = ArgumentArity.ZeroOrMore,
        Validators = { Checks.IsWebUrl },
    };

    private readonly Option<string?> _from = UrlLines.Option();

    private readonly Option<CrawlScope> _scope = new("--scope")
    {
        Description =
            "What belongs to the crawl: a seed's host, its domain (example.co.uk of docs.example.co.uk, by the Public Suffix List, and all "
            + "below it), its prefix (the URL up to the last slash), or any URL. [default: host]",
        HelpName = "host|domain|prefix|any",
        CustomParser = ReadScope,
    };

    private readonly Option<long?> _maxPages = Number<long?>(
        "--max-pages",
        "At most this many pages are fetched; a redirect is none. [default: no limit]"
    );
    private readonly Option<int?> _maxDepth = Number<int?>(
        "--max-depth",
        "Links are followed this many steps from a seed; a redirect is none. [default: no limit]"
    );
    private readonly Option<TimeSpan?> _delay = Duration(
        "--delay",
        $"Between two requests to one host. [default: {Durations.Format(Defaults.Delay)}]"
    );
    private readonly Option<bool> _perIp = new("--per-ip")
    {
        Description = "The delay holds per address of a server too: hosts with the same one take turns.",
    };
    private readonly Option<int?> _concurrency = Number<int?>(
        "--concurrency",
        $"Requests to one host at once. [default: {Defaults.Concurrency}]"
    );
    private readonly Option<int?> _parallel = Number<int?>(
        "--parallel",
        $"Requests of the crawl at once, over all hosts. [default: {Defaults.Parallel}]"
    );
    private readonly Option<string[]> _include = Texts(
        "--include",
        "PATTERN",
        "A URL must match one: a glob over the whole URL, or a regular expression between slashes. Several allowed."
    );
    private readonly Option<string[]> _exclude = Texts(
        "--exclude",
        "PATTERN",
        "A URL that matches one is out, whatever is included. Several allowed."
    );
    private readonly Option<string[]> _allowPrivate = Texts(
        "--allow-private",
        "RANGE",
        "Private addresses that the crawl may connect to, such as 127.0.0.0/8, within what the silo allows. Several allowed."
    );
    private readonly Option<TimeSpan?> _timeout = Duration(
        "--timeout",
        $"For one fetch, to its last byte. [default: {Durations.Format(Defaults.Timeout)}]"
    );

    private readonly Option<int?> _maxBody = new("--max-body")
    {
        Description = "A longer body is cut, and its record says so. 1 KB is 1,024 bytes. [default: 10MB]",
        HelpName = "SIZE",
        CustomParser = result => (int?)ReadSize(result, "--max-body", int.MaxValue),
    };

    private readonly Option<KeepPages?> _keep = Choice<KeepPages>(
        "--keep",
        "Which answers are kept whole, for export --format warc and crawl page: none, HTML pages, or all. [default: html]"
    );

    private readonly Option<long?> _maxKept = new("--max-kept")
    {
        Description = "Of kept pages at most this much, compressed; pages beyond have their record only, and are counted. [default: 2GB]",
        HelpName = "SIZE",
        CustomParser = result => ReadSize(result, "--max-kept", long.MaxValue),
    };

    private readonly Option<SitemapUse?> _sitemaps = Choice<SitemapUse>(
        "--sitemaps",
        "Sitemaps that robots.txt names: URLs come from them also, only from them, or not at all. [default: also]"
    );

    private readonly Option<string[]> _headers = Texts(
        "--header",
        "NAME: VALUE",
        "Sent to the origins of the seeds and to no other host, and shown nowhere. Several allowed."
    );
    private readonly Option<string?> _userAgent = new("--user-agent")
    {
        Description = "The User-Agent in place of the silo's. robots.txt is read by the silo's product token all the same.",
        HelpName = "TEXT",
    };
    private readonly Option<string?> _contact = new("--contact")
    {
        Description = "A URL or mail address for the owners of sites, in the User-Agent.",
        HelpName = "TEXT",
    };
    private readonly Option<string[]> _credentials = Texts(
        "--credential",
        "HOST=SECRET",
        "USER:PASSWORD or bearer:TOKEN, sent to this host only and shown nowhere. Several allowed."
    );
    private readonly Option<bool> _noCookies = new("--no-cookies") { Description = "Neither keep cookies nor send them." };
    private readonly Option<string?> _proxy = new("--proxy")
    {
        Description = "Ask this one of the silo's Crawling:Proxies in place of the hosts.",
        HelpName = "NAME",
    };
    private readonly Option<bool> _ignoreRobots = new("--ignore-robots")
    {
        Description = "Fetch what robots.txt forbids, on hosts of the silo's Crawling:OwnHosts and on no other.",
    };
    private readonly Option<string[]> _accept = Texts(
        "--accept",
        "TYPES",
        "Media types to fetch, such as text/html,image/*; of others the body is not read. Several allowed. [default: all]"
    );

    private readonly Option<string[]> _walk = Texts(
        "--walk",
        "PATTERN",
        "A page that matches one, and no --include, is fetched for its links alone: not kept, and exported with --all only. "
            + "Several allowed."
    );
    private readonly Option<int?> _maxPathDepth = Number<int?>(
        "--max-path-depth",
        $"Segments of a path; a link with more is not followed. 0: no limit. [default: {Defaults.MaxPathDepth}]"
    );
    private readonly Option<int?> _maxRepeats = Number<int?>(
        "--max-repeats",
        $"How often one segment may be in a path; a link with more is not followed. 0: no limit. [default: {Defaults.MaxRepeats}]"
    );
    private readonly Option<long?> _hostPages = Number<long?>(
        "--host-pages",
        "At most this many pages of one host; a redirect is none. [default: no limit]"
    );
    private readonly Option<long?> _hostBytes = new("--host-bytes")
    {
        Description = "At most this much of one host, and what is in flight then. [default: no limit]",
        HelpName = "SIZE",
        CustomParser = result => ReadSize(result, "--host-bytes", long.MaxValue),
    };
    private readonly Option<TimeSpan?> _hostTime = Duration(
        "--host-time",
        "For so long one host is asked, from its first page on. [default: no limit]"
    );
    private readonly Option<long?> _hostErrors = Number<long?>(
        "--host-errors",
        "A host is given up when this many of its URLs have failed. [default: no limit]"
    );
    private readonly Option<string[]> _dropParams = Texts(
        "--drop-param",
        "NAME",
        "A query parameter to take out of links, with * and ?, such as utm_*. Several allowed."
    );
    private readonly Option<bool> _followTraps = new("--follow-traps")
    {
        Description = "Ask calendars and facets without end like other pages, which crawl show names, and not more slowly.",
    };
    private readonly Option<bool> _sortParams = new("--sort-params") { Description = "Sort the query parameters of links by name." };

    private readonly Option<string[]> _fields = Texts(
        "--field",
        "NAME=SELECTOR",
        "Read the text of the first element that a CSS selector matches into the export; NAME[]= reads each, @ATTRIBUTE at the end an "
            + "attribute: price=.price, links[]=a@href. Several allowed."
    );
    private readonly Option<bool> _text = new("--text") { Description = "Put the text of pages, in reading order, into the export." };

    private readonly Option<string?> _revisit = new("--revisit")
    {
        Description =
            "Fetch the URLs of an earlier crawl again, those with an ETag or Last-Modified only if they changed; each page says whether "
            + "it is new, changed, unchanged or gone. What is not typed, seeds too, is as that crawl was asked.",
        HelpName = "ID",
    };

    private readonly Option<TimeSpan?> _every = Duration(
        "--every",
        "Crawl again so often, such as 6h or 1d: each round revisits the one before, and crawl cancel ends it. [default: once]"
    );

    private readonly Option<string?> _name = new("--name")
    {
        Description = "A name for the crawl, to be used in place of its id.",
        HelpName = "NAME",
    };
    private readonly Option<bool> _follow = new("--follow") { Description = "Watch it until it ends." };

    private StartCommand() { }

    public static Command Create(Verbs verbs)
    {
        var start = new StartCommand();
        var command = new Command(
            "start",
            "Start a crawl; it goes on by itself, without the console and over restarts. Durations are 500ms, 1s, 2m or 0; "
                + "sizes are 512KB or 10MB."
        )
        {
            start._seeds,
            start._from,
            start._scope,
            start._maxPages,
            start._maxDepth,
            start._delay,
            start._perIp,
            start._concurrency,
            start._parallel,
            start._include,
            start._exclude,
            start._allowPrivate,
            start._timeout,
            start._maxBody,
            start._keep,
            start._maxKept,
            start._sitemaps,
            start._headers,
            start._userAgent,
            start._contact,
            start._credentials,
            start._noCookies,
            start._proxy,
            start._ignoreRobots,
            start._accept,
            start._walk,
            start._maxPathDepth,
            start._maxRepeats,
            start._hostPages,
            start._hostBytes,
            start._hostTime,
            start._hostErrors,
            start._dropParams,
            start._sortParams,
            start._followTraps,
            start._fields,
            start._text,
            start._revisit,
            start._every,
            start._name,
            start._follow,
        };
        command.Validators.Add(result =>
        {
            if (
                result.GetResult(start._seeds) is not { Tokens.Count: > 0 }
                && result.GetResult(start._from) is null
                && result.GetResult(start._revisit) is null
            )
            {
                result.AddError($"The argument \"{start._seeds.Name}\" is missing");
            }
        });
        start._fields.Validators.Add(result =>
        {
            foreach (var error in FieldSelector.Check([.. result.Tokens.Select(token => token.Value)], out _))
            {
                result.AddError(error.TrimEnd('.'));
            }
        });
        return verbs.Act(command, start.Run);
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        using var batches = UrlLines.Batches(UrlLines.All(parsed.GetValue(_seeds) ?? [], parsed.GetValue(_from))).GetEnumerator();
        var first = batches.MoveNext() ? batches.Current : [];
        var hasMore = batches.MoveNext();
        if (first.IsEmpty && parsed.GetValue(_revisit) is null)
        {
            throw new ConsoleException($"There is no URL in \"{parsed.GetValue(_from)}\" to begin with.", ExitCode.WrongUsage);
        }

        var revisited = parsed.GetValue(_revisit) is { } earlier ? await session.Show(await session.Find(earlier, cancel), cancel) : null;
        var spec = Spec(parsed, first, revisited) with { MoreSeeds = hasMore || revisited is { Spec.MoreSeeds: true } };
        var reply = await (await session.Cluster(cancel)).Crawls.Start(spec, cancel);
        if (reply.Id is not { } id)
        {
            throw new ConsoleException(string.Join(' ', reply.Errors));
        }

        var follow = parsed.GetValue(_follow);
        if (session is { Json: false, Quiet: false, Terminal.OutputIsTerminal: true } && !follow)
        {
            session.Terminal.MarkupLine($"Crawl [bold]{id}[/] is started. [grey]Watch it with: crawl follow {id}[/]");
        }
        else
        {
            session.Tell(new { id = id.ToString(), name = spec.Name }, $"Crawl {id} is started.", id.Value);
        }

        var taken =
            hasMore ? await SendMore(session, id, first.Length, UrlLines.Rest(batches), cancel)
            : spec.MoreSeeds ? await EndSeeds(session, id, cancel)
            : ExitCode.Done;
        var followed = follow ? await FollowCommand.Follow(session, id, cancel) : ExitCode.Done;
        return taken == ExitCode.Done ? followed : taken;
    }

    /// <summary>Those that followed in the crawl that is revisited are among its URLs.</summary>
    private static async Task<int> EndSeeds(Session session, CrawlId id, CancellationToken cancel)
    {
        await new UrlSender(session, id).EndSeeds(cancel);
        return ExitCode.Done;
    }

    /// <summary>The seeds that do not go into the first call. Whoever interrupts it is told how to go on.</summary>
    private static async Task<int> SendMore(
        Session session,
        CrawlId id,
        int before,
        IEnumerable<ImmutableArray<string>> batches,
        CancellationToken cancel
    )
    {
        var sender = new UrlSender(session, id);
        try
        {
            await sender.Send(batches, cancel);
            await sender.EndSeeds(cancel);
        }
        catch
        {
            session.Terminal.Warn(
                $"{Counts.Of(before + sender.Added, "seed is", "seeds are")} taken, and stay. Go on with: crawl add {id} --from FILE --last"
            );
            throw;
        }

        session.Tell(
            new
            {
                id = id.ToString(),
                seeds = before + sender.Added,
                known = sender.Known,
                refused = sender.Refused,
            },
            $"{Counts.Of(before + sender.Added, "seed", "seeds")} taken, {Counts.Format(sender.Known)} known before, "
                + $"{Counts.Format(sender.Refused)} refused."
        );

        return sender.Refused == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private CrawlSpec Spec(ParseResult parsed, ImmutableArray<string> seeds, CrawlSummary? revisited)
    {
        var usual = revisited?.Spec ?? Defaults;
        return new()
        {
            Seeds = seeds.IsEmpty ? usual.Seeds : seeds,
            Name = parsed.GetValue(_name),
            Scope = parsed.GetResult(_scope) is null ? usual.Scope : parsed.GetValue(_scope),
            MaxPages = parsed.GetValue(_maxPages) ?? usual.MaxPages,
            MaxDepth = parsed.GetValue(_maxDepth) ?? usual.MaxDepth,
            Delay = parsed.GetValue(_delay) ?? usual.Delay,
            PerIp = parsed.GetValue(_perIp) || usual.PerIp,
            Concurrency = parsed.GetValue(_concurrency) ?? usual.Concurrency,
            Parallel = parsed.GetValue(_parallel) ?? usual.Parallel,
            Include = Many(parsed, _include, usual.Include),
            Exclude = Many(parsed, _exclude, usual.Exclude),
            AllowPrivate = Many(parsed, _allowPrivate, usual.AllowPrivate),
            Timeout = parsed.GetValue(_timeout) ?? usual.Timeout,
            MaxBodyBytes = parsed.GetValue(_maxBody) ?? usual.MaxBodyBytes,
            Keep = parsed.GetValue(_keep) ?? usual.Keep,
            MaxKeptBytes = parsed.GetValue(_maxKept) ?? usual.MaxKeptBytes,
            Sitemaps = parsed.GetValue(_sitemaps) ?? usual.Sitemaps,
            Headers = Many(parsed, _headers, usual.Headers),
            UserAgent = parsed.GetValue(_userAgent) ?? usual.UserAgent,
            Contact = parsed.GetValue(_contact) ?? usual.Contact,
            Credentials = Many(parsed, _credentials, usual.Credentials),
            NoCookies = parsed.GetValue(_noCookies) || usual.NoCookies,
            Proxy = parsed.GetValue(_proxy) ?? usual.Proxy,
            IgnoreRobots = parsed.GetValue(_ignoreRobots) || usual.IgnoreRobots,
            Walk = Many(parsed, _walk, usual.Walk),
            MaxPathDepth = parsed.GetValue(_maxPathDepth) ?? usual.MaxPathDepth,
            MaxRepeats = parsed.GetValue(_maxRepeats) ?? usual.MaxRepeats,
            DropParams = Many(parsed, _dropParams, usual.DropParams),
            SortParams = parsed.GetValue(_sortParams) || usual.SortParams,
            Accept =
            [
                .. Many(parsed, _accept, usual.Accept)
                    .SelectMany(types => types.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)),
            ],
            HostPages = parsed.GetValue(_hostPages) ?? usual.HostPages,
            HostBytes = parsed.GetValue(_hostBytes) ?? usual.HostBytes,
            HostTime = parsed.GetValue(_hostTime) ?? usual.HostTime,
            HostErrors = parsed.GetValue(_hostErrors) ?? usual.HostErrors,
            FollowTraps = parsed.GetValue(_followTraps) || usual.FollowTraps,
            Fields = Many(parsed, _fields, usual.Fields),
            Text = parsed.GetValue(_text) || usual.Text,
            Revisit = revisited?.Id,
            Every = parsed.GetValue(_every),
            HostDomains = usual.HostDomains && parsed.GetResult(_scope) is null,
        };
    }

    private static ImmutableArray<string> Many(ParseResult parsed, Option<string[]> option, ImmutableArray<string> usual) =>
        parsed.GetValue(option) is { Length: > 0 } typed ? [.. typed] : usual;

    private static Option<T> Number<T>(string name, string description) => new(name) { Description = description, HelpName = "N" };

    private static Option<string[]> Texts(string name, string helpName, string description) =>
        new(name) { Description = description, HelpName = helpName };

    private static Option<TimeSpan?> Duration(string name, string description) =>
        new(name)
        {
            Description = description,
            HelpName = "DURATION",
            CustomParser = result =>
            {
                if (Durations.TryParse(result.Tokens[0].Value, out var duration))
                {
                    return duration;
                }

                result.AddError($"{name} is a duration such as 500ms, 1s, 2m or 0; this is \"{result.Tokens[0].Value}\"");
                return null;
            },
        };

    private static CrawlScope ReadScope(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (!char.IsAsciiDigit(text[0]) && Enum.TryParse<CrawlScope>(text, ignoreCase: true, out var scope) && Enum.IsDefined(scope))
        {
            return scope;
        }

        result.AddError($"--scope is host, domain, prefix or any; this is \"{text}\"");
        return default;
    }

    /// <summary>One of an enumeration's names, in lower case.</summary>
    private static Option<T?> Choice<T>(string name, string description)
        where T : struct, Enum
    {
        var names = Enum.GetNames<T>().Select(value => value.ToLowerInvariant()).ToArray();
        return new(name)
        {
            Description = description,
            HelpName = string.Join('|', names),
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (names.Contains(text.ToLowerInvariant()))
                {
                    return Enum.Parse<T>(text, ignoreCase: true);
                }

                result.AddError($"{name} is {string.Join(", ", names[..^1])} or {names[^1]}; this is \"{text}\"");
                return null;
            },
        };
    }

    private static long? ReadSize(ArgumentResult result, string name, long most)
    {
        if (Sizes.TryParse(result.Tokens[0].Value, out var bytes) && bytes > 0 && bytes <= most)
        {
            return bytes;
        }

        result.AddError(
            most == int.MaxValue
                ? $"{name} is a size such as 512KB or 10MB, less than 2GB; this is \"{result.Tokens[0].Value}\""
                : $"{name} is a size such as 512KB or 10MB; this is \"{result.Tokens[0].Value}\""
        );
        return null;
    }
}
