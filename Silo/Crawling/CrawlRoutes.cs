using Grains.Crawling.Exports;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Keys;
using Silo.Http;
using Silo.Middleware;

namespace Silo.Crawling;

/// <summary>Crawls over HTTP. Wherever an id stands, the crawl's name will do.</summary>
public static class CrawlRoutes
{
    public static void MapCrawls(this WebApplication app)
    {
        var crawls = app.MapGroup("/api/crawls").WithTags("crawls");
        crawls
            .MapPost("", Start)
            .WithName("startCrawl")
            .For(ApiRole.Writer)
            .Takes(CrawlJson.Default.StartCrawl, StartCrawl.MaxBytes)
            .WithSummary("Starts a crawl; it goes on by itself, over restarts.")
            .Produces<CrawlStarted>(StatusCodes.Status201Created);
        crawls
            .MapGet("", List)
            .WithName("listCrawls")
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery())
            .WithSummary("The crawls that are kept, the newest first.")
            .Produces<CrawlList>();
        crawls
            .MapGet("{id}", Show)
            .WithName("showCrawl")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery())
            .WithSummary("One crawl: what was asked, and how far it is.")
            .Produces<CrawlForm>();
        Control(crawls, "pause", "pauseCrawl", "Begins no new fetches; those in flight end.", (crawl, cancel) => crawl.Pause(cancel));
        Control(crawls, "resume", "resumeCrawl", "Goes on with a crawl that was paused.", (crawl, cancel) => crawl.Resume(cancel));
        Control(crawls, "cancel", "cancelCrawl", "Ends a crawl for good; what waits is skipped.", (crawl, cancel) => crawl.Cancel(cancel));
        crawls
            .MapDelete("{id}", (HttpContext context, string id, IGrainFactory grains) =>
                Change(context, id, grains, StatusCodes.Status202Accepted, (crawl, cancel) => crawl.Delete(cancel))
            )
            .WithName("deleteCrawl")
            .Refuses(StatusCodes.Status404NotFound, StatusCodes.Status409Conflict)
            .For(ApiRole.Writer)
            .WithMetadata(new TakesQuery())
            .WithSummary("Removes a crawl and everything that was kept of it. Its rows go by and by.")
            .Produces<CrawlForm>(StatusCodes.Status202Accepted);
        crawls
            .MapGet("{id}/export", Export)
            .WithName("exportCrawl")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery("format", "kind", "with"))
            .WithSummary(
                "One record per URL, as it is read: format is jsonl, csv, parquet or warc (the kept pages), kind is fetched or all (with "
                    + "what was skipped), "
                    + "with is body or text (jsonl only)."
            )
            .DescribesChoice("format", "jsonl", "jsonl", "csv", "parquet", "warc")
            .DescribesChoice("kind", "fetched", "fetched", "all")
            .DescribesChoice("with", null, "body", "text")
            .Streams(MediaTypes.JsonLines, CrawlExportAnswer.Csv, PageParquet.MediaType, CrawlArchiveAnswer.Warc);
        crawls
            .MapGet("{id}/explain", Explain)
            .WithName("explainUrl")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery("url"))
            .WithSummary("Why a URL was or was not fetched.")
            .Produces<ExplanationForm>();
        crawls
            .MapPost("{id}/urls", Add)
            .WithName("addUrls")
            .Refuses(StatusCodes.Status404NotFound, StatusCodes.Status409Conflict)
            .For(ApiRole.Writer)
            .Takes(CrawlJson.Default.AddUrls, AddUrls.MaxBytes)
            .WithSummary("Adds URLs to a crawl that runs or is paused, as seeds are: a thousand at most. What is out of scope is named.")
            .Produces<UrlsAdded>();
        Control(
            crawls,
            "end-seeds",
            "endSeeds",
            "No further seeds follow (moreSeeds): the crawl ends when nothing is left to fetch.",
            (crawl, cancel) => crawl.EndSeeds(cancel)
        );
        crawls
            .MapPost("{id}/retry", Retry)
            .WithName("retryCrawl")
            .Refuses(StatusCodes.Status404NotFound, StatusCodes.Status409Conflict)
            .For(ApiRole.Writer)
            .WithMetadata(new TakesQuery("reason"))
            .WithSummary("Tries again what has failed, all of it or what failed for a reason. A crawl that is done goes on.")
            .Produces<UrlsRetried>();
        crawls
            .MapGet("{id}/hosts", Hosts)
            .WithName("listHosts")
            .Refuses(StatusCodes.Status404NotFound)
            .DescribesNumber("take", 1, ICrawlGrain.MaxHostStates)
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery("after", "take"))
            .WithSummary("How each host of a crawl is asked, and why: take (1 to 100, else 50) of them after the host that after names.")
            .Produces<CrawlHostList>();
        crawls
            .MapGet("{id}/page", Page)
            .WithName("readPage")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery("url", "view"))
            .WithSummary("The body of a page that was kept: view is body (its bytes), text (in UTF-8) or reading (the text of HTML).")
            .DescribesChoice("view", "body", "body", "text", "reading")
            .Streams("application/octet-stream", "text/plain");
        crawls
            .MapGet("{id}/events", Events)
            .WithName("followCrawl")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery())
            .WithSummary("Server-sent events: progress whenever it changes, and end when the crawl does.")
            .DescribesHeader("Last-Event-ID", "The id of the event that was seen last; nothing is told twice.")
            .Streams<CrawlForm>(MediaTypes.Events)
            .Produces(StatusCodes.Status204NoContent);
    }

    private static void Control(
        RouteGroupBuilder crawls,
        string verb,
        string name,
        string summary,
        Func<ICrawlGrain, CancellationToken, Task<ControlReply>> control
    ) =>
        crawls
            .MapPost($"{{id}}/{verb}", (HttpContext context, string id, IGrainFactory grains) =>
                Change(context, id, grains, StatusCodes.Status200OK, control)
            )
            .WithName(name)
            .Refuses(StatusCodes.Status404NotFound, StatusCodes.Status409Conflict)
            .For(ApiRole.Writer)
            .WithMetadata(new TakesQuery())
            .WithSummary(summary)
            .Produces<CrawlForm>();

    private static async Task<IResult> Start(HttpContext context, IGrainFactory grains)
    {
        var asked = ITakesBody.BodyOf<StartCrawl>(context);
        (CrawlId Id, CrawlSpec Spec)? revisited = null;
        if (asked.Revisit is { } earlier)
        {
            if (
                await Found(earlier, grains, context.RequestAborted) is not { } crawl
                || await crawl.Grain.Show(context.RequestAborted) is not { } shown
            )
            {
                return Problem.Invalid(new Fault($"There is no crawl \"{earlier}\" to revisit.", "#/revisit"));
            }

            revisited = (crawl.Id, shown.Spec);
        }

        if (asked.TryRead(out var spec, revisited?.Spec) is { Count: > 0 } faults)
        {
            return Problem.Invalid(faults);
        }

        spec = spec with { Revisit = revisited?.Id };

        var reply = await Crawls(grains).Start(spec, context.RequestAborted);
        if (reply.Id is not { } id)
        {
            return Problem.Invalid(reply.Errors.Select(error => new Fault(error)));
        }

        if (spec.MoreSeeds && asked.MoreSeeds is not true)
        {
            // Those that followed in the crawl that is revisited are among its URLs.
            await grains.GetGrain<ICrawlGrain>(id.Value).EndSeeds(context.RequestAborted);
        }

        context.Response.Headers.Location = $"/api/crawls/{id}";
        return Results.Json(
            new CrawlStarted(id.ToString(), spec.Name),
            CrawlJson.AsItIs.CrawlStarted,
            statusCode: StatusCodes.Status201Created
        );
    }

    private static async Task<IResult> List(HttpContext context, IGrainFactory grains) =>
        Results.Json(
            new CrawlList([.. (await Crawls(grains).List(context.RequestAborted)).Select(CrawlForm.Of)]),
            CrawlJson.AsItIs.CrawlList
        );

    private static async Task<IResult> Show(HttpContext context, string id, IGrainFactory grains) =>
        await Found(id, grains, context.RequestAborted) is { } crawl && await crawl.Grain.Show(context.RequestAborted) is { } summary
            ? Results.Json(CrawlForm.WithSpec(summary), CrawlJson.AsItIs.CrawlForm)
            : None(id);

    private static async Task<IResult> Change(
        HttpContext context,
        string id,
        IGrainFactory grains,
        int status,
        Func<ICrawlGrain, CancellationToken, Task<ControlReply>> change
    )
    {
        if (await Found(id, grains, context.RequestAborted) is not { } crawl)
        {
            return None(id);
        }

        var reply = await change(crawl.Grain, context.RequestAborted);
        return reply switch
        {
            { Error: { } error } => new Problem(StatusCodes.Status409Conflict, error),
            { Crawl: { } summary } => Results.Json(CrawlForm.Of(summary), CrawlJson.AsItIs.CrawlForm, statusCode: status),
            _ => None(id),
        };
    }

    private static async Task<IResult> Explain(HttpContext context, string id, IGrainFactory grains, string? url = null)
    {
        if (string.IsNullOrEmpty(url))
        {
            return Problem.Invalid(new Fault("\"url\" is missing: the URL to be explained, as it was typed or linked.", Parameter: "url"));
        }

        return await Found(id, grains, context.RequestAborted) is { } crawl
            ? Results.Json(
                ExplanationForm.Of(crawl.Id, await crawl.Grain.Explain(url, context.RequestAborted)),
                CrawlJson.AsItIs.ExplanationForm
            )
            : None(id);
    }

    private static async Task<IResult> Export(
        HttpContext context,
        string id,
        IGrainFactory grains,
        LongAnswers places,
        string format = "jsonl",
        string kind = "fetched",
        string? with = null
    )
    {
        var faults = new List<Fault>();
        if (format is not ("jsonl" or "csv" or "parquet" or "warc"))
        {
            faults.Add(new($"\"format\" is jsonl, csv, parquet or warc; this is \"{format}\".", Parameter: "format"));
        }

        if (kind is not ("fetched" or "all"))
        {
            faults.Add(new($"\"kind\" is fetched or all; this is \"{kind}\".", Parameter: "kind"));
        }

        if (with is not (null or "body" or "text") || (with is not null && format != "jsonl"))
        {
            faults.Add(
                new($"\"with\" is body or text, and goes with the format jsonl; this is \"{with}\" with {format}.", Parameter: "with")
            );
        }

        if (faults is not [])
        {
            return Problem.Invalid(faults);
        }

        return await Found(id, grains, context.RequestAborted) is { } crawl
            ? format switch
            {
                "warc" => new CrawlArchiveAnswer(crawl.Id, crawl.Grain, places),
                "parquet" => new CrawlParquetAnswer(crawl.Id, crawl.Grain, places, kind == "all" ? ExportKind.All : ExportKind.Fetched),
                _ => new CrawlExportAnswer(
                    crawl.Id,
                    crawl.Grain,
                    places,
                    IsCsv: format == "csv",
                    kind == "all" ? ExportKind.All : ExportKind.Fetched,
                    with switch
                    {
                        "body" => PageView.Text,
                        "text" => PageView.Reading,
                        _ => null,
                    }
                ),
            }
            : None(id);
    }

    private static async Task<IResult> Add(HttpContext context, string id, IGrainFactory grains)
    {
        var urls = ITakesBody.BodyOf<AddUrls>(context).Urls;
        if (urls.IsDefaultOrEmpty || urls.Length > CrawlSpec.MaxSeeds || urls.Any(url => url is null))
        {
            return Problem.Invalid(new Fault($"\"urls\" is a list of 1 to {CrawlSpec.MaxSeeds} texts.", "#/urls"));
        }

        if (await Found(id, grains, context.RequestAborted) is not { } crawl)
        {
            return None(id);
        }

        var reply = await crawl.Grain.Add(urls, context.RequestAborted);
        return reply.Closed is { } closed
            ? new Problem(StatusCodes.Status409Conflict, closed)
            : Results.Json(new UrlsAdded(reply.New, reply.Known, reply.Refused, reply.Errors), CrawlJson.AsItIs.UrlsAdded);
    }

    private static async Task<IResult> Hosts(HttpContext context, string id, IGrainFactory grains, string? after = null, int take = 50)
    {
        if (take is < 1 or > ICrawlGrain.MaxHostStates)
        {
            return Problem.Invalid(new Fault($"\"take\" is 1 to {ICrawlGrain.MaxHostStates}; this is {take}.", Parameter: "take"));
        }

        if (await Found(id, grains, context.RequestAborted) is not { } crawl)
        {
            return None(id);
        }

        var hosts = await crawl.Grain.HostStates(after is null ? null : new HostKey(after), take, context.RequestAborted);
        return Results.Json(
            new CrawlHostList([.. hosts.Select(HostForm.Of)], hosts.Length == take ? hosts[^1].Host.Value : null),
            CrawlJson.AsItIs.CrawlHostList
        );
    }

    private static async Task<IResult> Retry(HttpContext context, string id, IGrainFactory grains, string? reason = null)
    {
        if (await Found(id, grains, context.RequestAborted) is not { } crawl)
        {
            return None(id);
        }

        var reply = await RetryReply.All(cursor => crawl.Grain.Retry(reason, cursor, context.RequestAborted));
        if (reply.Closed is { } closed)
        {
            return new Problem(StatusCodes.Status409Conflict, closed);
        }

        return Results.Json(new UrlsRetried(reply.Retried.Values.Sum(), reply.Retried), CrawlJson.AsItIs.UrlsRetried);
    }

    private static async Task<IResult> Page(HttpContext context, string id, IGrainFactory grains, string? url = null, string view = "body")
    {
        var faults = new List<Fault>();
        if (string.IsNullOrEmpty(url))
        {
            faults.Add(new("\"url\" is missing: the URL of the page.", Parameter: "url"));
        }

        PageView? form = view switch
        {
            "body" => PageView.Body,
            "text" => PageView.Text,
            "reading" => PageView.Reading,
            _ => null,
        };
        if (form is null)
        {
            faults.Add(new($"\"view\" is body, text or reading; this is \"{view}\".", Parameter: "view"));
        }

        if (faults is not [])
        {
            return Problem.Invalid(faults);
        }

        if (await Found(id, grains, context.RequestAborted) is not { } crawl)
        {
            return None(id);
        }

        var first = await crawl.Grain.Page(url!, form!.Value, offset: 0, context.RequestAborted);
        return first.Why is { } why ? Problem.NotFound(why) : new CrawlPageAnswer(crawl.Grain, url!, form.Value, first);
    }

    private static async Task<IResult> Events(
        HttpContext context,
        string id,
        IGrainFactory grains,
        LongAnswers places,
        TimeProvider clock,
        IHostApplicationLifetime application
    ) =>
        await Found(id, grains, context.RequestAborted) is { } crawl
            ? new CrawlEvents(crawl.Grain, places, clock, application.ApplicationStopping)
            : None(id);

    private static async Task<(CrawlId Id, ICrawlGrain Grain)?> Found(string idOrName, IGrainFactory grains, CancellationToken cancel) =>
        await Crawls(grains).Find(idOrName, cancel) is { } id ? (id, grains.GetGrain<ICrawlGrain>(id.ToString())) : null;

    private static Problem None(string idOrName) =>
        Problem.NotFound($"There is no crawl \"{idOrName}\"; GET /api/crawls lists those that are kept.");

    private static ICrawlListGrain Crawls(IGrainFactory grains) => grains.GetGrain<ICrawlListGrain>(0);
}
