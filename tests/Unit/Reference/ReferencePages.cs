using System.Collections.Immutable;
using System.CommandLine;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using Grains.Crawling.Pages;
using Grains.Interfaces.Orders;
using Grains.Logs.Ndjson;
using Grains.Logs.Records;
using Grains.Orders.Feed;
using Grains.Orders.Rows;
using Microsoft.Extensions.DependencyInjection;
using Silo.Middleware;
using Silo.Settings;
using Unit.Client;
using Unit.Silo;

namespace Unit.Reference;

/// <summary>What the program says of itself, as pages in Markdown.</summary>
internal static class ReferencePages
{
    private const string Written =
        "The program writes this page: `tests/Unit/Reference/ReferenceTests.cs` says how, and holds it up to date.";

    public static string Settings()
    {
        var settings = global::Silo.Program.Modules.Settings;
        var page = Page(
            "Settings of a silo",
            "A setting is given on the command line (`--Http:Port 8090`), by an environment variable (`Http__Port=8090`), or in "
                + "`appsettings.json` beside the program; the first of these that names it wins. One that does not exist, or a value that is "
                + "not accepted, stops the silo with a sentence and exit code 2. Times are `500ms`, `5s`, `2m`, `1h`, `1d`, or `hh:mm:ss`."
        );
        foreach (var section in settings.All.GroupBy(setting => setting.Key.Split(':')[0]))
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## {section.Key}\n\n| setting | value | default | |\n|---|---|---|---|\n");
            foreach (var setting in section)
            {
                var empty = setting.Default.Length == 0 ? "" : Code(setting.Default);
                page.Append(
                    CultureInfo.InvariantCulture,
                    $"| {Code(setting.Key)} | {Code(setting.Form)} | {empty} | {Cell(setting.Meaning)} |\n"
                );
            }
        }

        page.Append(
            CultureInfo.InvariantCulture,
            $"\n## Log levels\n\n`{SettingsRegistry.LogLevels}CATEGORY` is the level of the log by the start of a category.\n"
        );
        return page.ToString();
    }

    public static string Verbs()
    {
        var root = VerbTree.Root();
        var page = Page(
            "Verbs of the console",
            $"`{Examples.Program}` is the console as a .NET tool; in a checkout it is `dotnet run -c Release --project Client --`."
        );
        page.Append("\n## Every verb\n\n").Append(Options(root.Options.Where(option => option.Recursive)));
        foreach (var verb in VerbTree.Leaves().OrderBy(Examples.PathOf, StringComparer.Ordinal))
        {
            var path = Examples.PathOf(verb);
            var arguments = verb.Arguments.Where(argument => !argument.Hidden).ToArray();
            page.Append(CultureInfo.InvariantCulture, $"\n## {path}\n\n{Cell(verb.Description ?? "")}\n");
            if (arguments.Length > 0)
            {
                page.Append("\n| argument | |\n|---|---|\n");
                foreach (var argument in arguments)
                {
                    page.Append(CultureInfo.InvariantCulture, $"| {Code(argument.Name)} | {Cell(argument.Description ?? "")} |\n");
                }
            }

            var options = Options(verb.Options);
            page.Append(options.Length > 0 ? "\n" + options : "")
                .Append(CultureInfo.InvariantCulture, $"\n```text\n{Examples.Program} {Examples.All[path]}\n```\n");
        }

        return page.ToString();
    }

    public static string ExitCodes()
    {
        var page = Page("Exit codes", "What the two programs answer to the shell that started them.");
        foreach (
            var (program, codes) in new[] { ("The console", ExitCode.All), ("A silo, and a front", global::Silo.StartUp.ExitCodes.All) }
        )
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## {program}\n\n| code | |\n|---|---|\n");
            foreach (var (code, meaning) in codes)
            {
                page.Append(CultureInfo.InvariantCulture, $"| {code} | {Cell(meaning)} |\n");
            }
        }

        return page.ToString();
    }

    public static async Task<string> Metrics()
    {
        var page = Page(
            "Metrics",
            "What a silo or front measures, at `/metrics` for Prometheus and through OTLP under the name in brackets. A histogram has "
                + "`_bucket`, `_sum` and `_count`. `System.Runtime` and Kestrel's meter are exported as .NET names them; "
                + "`--Telemetry:Calls true` adds Orleans' own."
        );
        foreach (
            var meter in (await Instruments())
                .GroupBy(instrument => instrument.Meter.Name)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
        )
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## {meter.Key}\n\n| metric | kind | unit | |\n|---|---|---|---|\n");
            foreach (var instrument in meter.OrderBy(instrument => instrument.Name, StringComparer.Ordinal))
            {
                page.Append(
                    CultureInfo.InvariantCulture,
                    $"| {Code(PrometheusName(instrument))} ({instrument.Name}) | {Kind(instrument)} | {Code(instrument.Unit ?? "1")} "
                        + $"| {Cell(instrument.Description ?? "")} |\n"
                );
            }
        }

        return page.ToString();
    }

    public static async Task<string> Problems()
    {
        var operations = (
            from path in JsonNode.Parse(await DescribedSilo.OpenApi())!["paths"]!.AsObject()
            from operation in path.Value!.AsObject()
            from answer in operation.Value!["responses"]!.AsObject()
            where answer.Key[0] is '4' or '5'
            select (Status: int.Parse(answer.Key, CultureInfo.InvariantCulture), Name: (string)operation.Value["operationId"]!)
        ).ToArray();
        var all = operations.Select(answer => answer.Name).Distinct().Count();
        var page = Page(
            "Problems and reasons",
            "A refusal over HTTP is problem details (RFC 9457, `application/problem+json`): `type` is `about:blank`, so the status says what "
                + "kind it is; `detail` says what is wrong and what would be right; `errors` names each thing that is wrong with a request and "
                + "where; `traceId` is the request's in the log. 429 and 503 have `Retry-After`."
        );
        page.Append("\n## Kinds\n\n| status | title | operations |\n|---|---|---|\n");
        foreach (var status in operations.GroupBy(answer => answer.Status).OrderBy(group => group.Key))
        {
            var names = status.Select(answer => answer.Name).Order(StringComparer.Ordinal).ToArray();
            page.Append(
                CultureInfo.InvariantCulture,
                $"| {status.Key} | {Problem.TitleOf(status.Key)} | {(names.Length == all ? "all" : string.Join(", ", names))} |\n"
            );
        }

        page.Append(
            "\n## Reasons in the books\n\nWhy something that came in was refused or left out, by the words of `ledger` and `crawl show`.\n"
        );
        page.Append(Reasons("Crawling", typeof(Grains.Crawling.Frontier.Refusals)))
            .Append("\nBesides these, `http-404` and the like are a server's answer, and where there was none:\n")
            .Append(
                Reasons(
                    "Crawling, without an answer",
                    Enum.GetValues<FetchFailure>()
                        .Where(failure => failure != FetchFailure.None)
                        .Select(failure =>
                            (
                                FetchVerdict.Of(new PageFetch { Failure = failure }).Reason!,
                                XmlDocs.Summary(typeof(FetchFailure).GetField(failure.ToString())!)
                            )
                        )
                )
            )
            .Append(
                Reasons(
                    "Logs",
                    new[] { (typeof(DecodeLimits), nameof(DecodeLimits.TooLarge)), (typeof(DecodeLimits), nameof(DecodeLimits.TooDeep)) }
                        .Append((typeof(DecodeLimits), nameof(DecodeLimits.TooMany)))
                        .Append((typeof(NdjsonDecoder), nameof(NdjsonDecoder.BadLine)))
                        .Select(reason => reason.Item1.GetField(reason.Item2)!)
                        .Select(field => ((string)field.GetRawConstantValue()!, XmlDocs.Summary(field)))
                )
            )
            .Append(
                Reasons(
                    "Orders",
                    Enum.GetValues<OrderRefusal>()
                        .Where(refusal => refusal != OrderRefusal.None)
                        .Select(refusal => (OrderFeed.Reason(refusal), XmlDocs.Summary(typeof(OrderRefusal).GetField(refusal.ToString())!)))
                )
            );
        page.Append(
                "\n## Reasons of deliveries\n\nWhat became of a change on its way to mail or a webhook, by the words of "
                    + "`orders deliveries`, `orders dead-letters` and `orders webhooks show`. Besides these, `http-500` is an endpoint's and "
                    + "`smtp-550` a mail server's answer, and an exception of a subscriber is named by its type.\n"
            )
            .Append(Reasons("Failed: tried again, then among the dead letters", typeof(DeliveryReasons)))
            .Append(Reasons("Suppressed: nobody is told", typeof(SuppressedReasons)))
            .Append(Reasons("Deferred: not tried yet", typeof(DeferredReasons)));
        return page.ToString();
    }

    /// <summary>The constants of a class.</summary>
    private static string Reasons(string title, Type words) =>
        Reasons(
            title,
            words
                .GetFields(BindingFlags.Public | BindingFlags.Static)
                .Select(field => ((string)field.GetRawConstantValue()!, XmlDocs.Summary(field)))
        );

    private static string Reasons(string system, IEnumerable<(string Word, string Meaning)> reasons) =>
        $"\n### {system}\n\n| reason | |\n|---|---|\n"
        + string.Concat(
            reasons
                .OrderBy(reason => reason.Word, StringComparer.Ordinal)
                .Select(reason => $"| {Code(reason.Word)} | {Cell(reason.Meaning)} |\n")
        );

    private static string Options(IEnumerable<Option> options)
    {
        var shown = options
            .Where(option => !option.Hidden && option is not System.CommandLine.Help.HelpOption and not VersionOption)
            .ToArray();
        return shown is []
            ? ""
            : "| option | value | |\n|---|---|---|\n"
                + string.Concat(
                    shown.Select(option =>
                        $"| {string.Join(", ", new[] { option.Name }.Concat(option.Aliases).Select(Code))} "
                        + $"| {(option.ValueType == typeof(bool) ? "" : Code(option.HelpName ?? "VALUE"))} "
                        + $"| {Cell(option.Description ?? "")}{(option.Required ? " Needed." : "")} |\n"
                    )
                );
    }

    /// <summary>Those of our own meters, as the whole silo makes them.</summary>
    private static Task<ImmutableArray<Instrument>> Instruments() =>
        DescribedSilo.Ask(silo =>
        {
            var factory = silo.GetRequiredService<IMeterFactory>();
            var found = new List<Instrument>();
            using var listener = new MeterListener();
            listener.InstrumentPublished = (instrument, _) =>
            {
                if (ReferenceEquals(instrument.Meter.Scope, factory))
                {
                    lock (found)
                    {
                        found.Add(instrument);
                    }
                }
            };
            listener.Start();
            var ours = new[] { typeof(global::Silo.Program).Assembly, typeof(Grains.Crawling.Frontier.Refusals).Assembly }
                .SelectMany(assembly => assembly.GetTypes())
                .Where(type =>
                    type.GetConstructors().Any(made => made.GetParameters().Any(one => one.ParameterType == typeof(IMeterFactory)))
                );
            foreach (var type in ours.Where(type => !type.ContainsGenericParameters && !type.IsAbstract))
            {
                _ = silo.GetService(type) ?? Make(silo, type);
            }

            _ = silo.GetRequiredService<Grains.Storage.ITableStore>();
            return Task.FromResult(found.DistinctBy(instrument => (instrument.Meter.Name, instrument.Name)).ToImmutableArray());
        });

    private static object? Make(IServiceProvider silo, Type type) =>
        type.GetConstructors().Single().GetParameters().All(one => silo.GetService(one.ParameterType) is not null)
            ? ActivatorUtilities.CreateInstance(silo, type)
            : null; // It is made by another that is asked for.

    /// <summary>As the exporter for Prometheus names it.</summary>
    private static string PrometheusName(Instrument instrument)
    {
        var name = instrument.Name.Replace('.', '_');
        var unit = instrument.Unit switch
        {
            "s" => "seconds",
            "By" => "bytes",
            _ => "",
        };
        name += unit.Length > 0 && !name.EndsWith("_" + unit, StringComparison.Ordinal) ? "_" + unit : "";
        return Kind(instrument) == "counter" ? name + "_total" : name;
    }

    private static string Kind(Instrument instrument) =>
        instrument.GetType().Name.Split('`')[0] switch
        {
            "Counter" or "ObservableCounter" => "counter",
            "Histogram" => "histogram",
            _ => "gauge",
        };

    private static StringBuilder Page(string title, string text) => new($"# {title}\n\n{Written}\n\n{text}\n");

    private static string Code(string text) => $"`{text.Replace("|", "\\|", StringComparison.Ordinal)}`";

    private static string Cell(string text) =>
        text.ReplaceLineEndings(" ").Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
