using Grains.Interfaces.Keys;
using Grains.Interfaces.Logs;
using Grains.Interfaces.Values;
using Silo.Middleware;

namespace Silo.Logs;

/// <summary>The rules of the log over HTTP.</summary>
public static class RuleRoutes
{
    public static void MapLogRules(this WebApplication app)
    {
        var rules = app.MapGroup("/api/logs/rules").WithTags("logs");
        rules
            .MapGet("", List)
            .WithName("listLogRules")
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery())
            .WithSummary("The rules that records pass when they come in, in their order.")
            .Produces<RuleListForm>();
        rules
            .MapPost("", Add)
            .WithName("addLogRule")
            .Refuses(StatusCodes.Status409Conflict)
            .For(ApiRole.Writer)
            .Takes(LogsJson.Default.AddRule, AddRule.MaxBytes)
            .WithSummary("Adds a rule, \"query => action\", at a number or at the end; every silo goes by it a second later.")
            .Produces<RuleChangeForm>(StatusCodes.Status201Created);
        rules
            .MapDelete("{number:int}", Remove)
            .WithName("removeLogRule")
            .Refuses(StatusCodes.Status404NotFound, StatusCodes.Status409Conflict)
            .DescribesNumber("revision", 0, long.MaxValue)
            .For(ApiRole.Writer)
            .WithMetadata(new TakesQuery("revision"))
            .WithSummary("Removes the rule of this number; with revision, only if the rules are still those.")
            .Produces<RuleChangeForm>();
        rules
            .MapPost("test", Test)
            .WithName("testLogRule")
            .For(ApiRole.Reader)
            .Takes(LogsJson.Default.TestRule, AddRule.MaxBytes)
            .WithSummary("What a rule would have done to records that are stored; changes nothing.")
            .Produces<RuleTestForm>();
    }

    private static async Task<IResult> List(HttpContext context, IGrainFactory grains) =>
        Results.Json(RuleListForm.Of(await Rules(grains).List(context.RequestAborted)), LogsJson.AsItIs.RuleListForm);

    private static async Task<IResult> Add(HttpContext context, IGrainFactory grains)
    {
        var asked = ITakesBody.BodyOf<AddRule>(context);
        var reply = await Rules(grains).Add(asked.Rule, asked.At, context.RequestAborted);
        return reply.Error is { } error
            ? Of(error)
            : Results.Json(RuleChangeForm.Of(reply), LogsJson.AsItIs.RuleChangeForm, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> Remove(HttpContext context, int number, IGrainFactory grains, string? revision = null)
    {
        long seen = 0;
        if (
            revision is not null
            && !long.TryParse(revision, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out seen)
        )
        {
            return Problem.Invalid(
                new Fault($"\"revision\" is a whole number, as the list of rules shows it; this is \"{revision}\".", Parameter: "revision")
            );
        }

        var reply = await Rules(grains).Remove(number, revision is null ? null : seen, context.RequestAborted);
        return reply.Error is { } error ? Of(error) : Results.Json(RuleChangeForm.Of(reply), LogsJson.AsItIs.RuleChangeForm);
    }

    private static async Task<IResult> Test(HttpContext context, IGrainFactory grains)
    {
        var asked = ITakesBody.BodyOf<TestRule>(context);
        if (!Durations.TryParse(asked.Since ?? "1h", out var age))
        {
            return Problem.Invalid(new Fault($"\"since\" is a duration such as 15m or 1h; this is \"{asked.Since}\".", "#/since"));
        }

        var reply = await Rules(grains).Test(asked.Rule, age, context.RequestAborted);
        return reply switch
        {
            { Error: { } error } => Of(error),
            { Test: { } test } => Results.Json(RuleTestForm.Of(test), LogsJson.AsItIs.RuleTestForm),
            _ => throw new InvalidOperationException("A test of a rule was answered with nothing."),
        };
    }

    private static Problem Of(RuleFault fault) =>
        fault.Kind switch
        {
            RuleFaultKind.Wrong => Problem.Invalid(new Fault(fault.Sentence)),
            RuleFaultKind.NotThere => Problem.NotFound(fault.Sentence),
            RuleFaultKind.Conflict => new(StatusCodes.Status409Conflict, fault.Sentence),
            _ => new(StatusCodes.Status503ServiceUnavailable, fault.Sentence),
        };

    private static ILogRulesGrain Rules(IGrainFactory grains) => grains.GetGrain<ILogRulesGrain>(0);
}

/// <summary>A rule that is to be added.</summary>
public sealed record AddRule
{
    /// <summary>Of the body: a rule has 4 KiB, and JSON may escape each of its characters.</summary>
    public const int MaxBytes = 32 * 1024;

    public required string Rule { get; init; }

    /// <summary>Its number, from 1; none: at the end.</summary>
    public int? At { get; init; }
}

/// <summary>A rule that is to be tried.</summary>
public sealed record TestRule
{
    public required string Rule { get; init; }

    /// <summary>How far back, <c>15m</c>; none: an hour.</summary>
    public string? Since { get; init; }
}
