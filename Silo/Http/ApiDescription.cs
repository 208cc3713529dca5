using System.Text.Json;
using Grains.Interfaces.Keys;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Silo.Middleware;
using Silo.StartUp;

namespace Silo.Http;

/// <summary>
/// The description of the API, OpenAPI 3.1: beside what routes show by themselves it says, from the rules of each route, which key it
/// needs, and everything that it may refuse.
/// </summary>
internal static class ApiDescription
{
    /// <summary>The name of the document, and of the version of the API that it describes.</summary>
    public const string Name = "v1";

    /// <summary>Where the document is.</summary>
    public const string Path = $"/openapi/{Name}.json";

    /// <summary>The name of the usual way to send a key.</summary>
    public const string Bearer = "bearer";

    private const string ApiKeyHeader = "apiKey";
    private const string ProblemSchema = "Problem";

    private const string NoKeyNeeded =
        "While no key was ever made and the silo listens on loopback alone, programs on its machine need none.";

    public static void AddApiDescription(this IServiceCollection services)
    {
        services.AddRestJson(ProblemJson.Default);
        services.AddOpenApi(Name, openApi =>
        {
            openApi.CreateSchemaReferenceId = type =>
                type.Type == typeof(ProblemForm) ? ProblemSchema : OpenApiOptions.CreateDefaultSchemaReferenceId(type);
            openApi.AddSchemaTransformer(Describe);
            openApi.AddOperationTransformer(Describe);
            openApi.AddDocumentTransformer(Describe);
        });
    }

    private static Task Describe(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancel)
    {
        document.Info = new()
        {
            Title = About.Name,
            Version = About.Version,
            Description =
                "What a silo or front answers over HTTP. Beside it there are the page for people at /, /health for probes, /metrics for "
                + "Prometheus and /v1/logs for OTLP. Every refusal is problem details (RFC 9457). HEAD is answered wherever GET is.",
        };
        document.Servers = []; // Wherever it was read from.
        document.Components?.Schemas?.Remove(nameof(Stream)); // Nobody refers to it: bytes are described where they are.
        var schemes = (document.Components ??= new()).SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
        schemes[Bearer] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = $"An API key, as \"keys add\" prints it. {NoKeyNeeded}",
        };
        schemes[ApiKeyHeader] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Header,
            Name = Authentication.KeyHeader,
            Description = $"The same key in a header of its own. {NoKeyNeeded}",
        };
        return Task.CompletedTask;
    }

    /// <summary>An enum is its words: whether a member may be null as well is a matter of the member, which may be left out.</summary>
    private static Task Describe(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancel)
    {
        if ((Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type).IsEnum)
        {
            schema.Type = JsonSchemaType.String;
            schema.Enum = [.. (schema.Enum ?? []).Where(word => word is not null && !word.IsJsonNullSentinel())];
        }

        return Task.CompletedTask;
    }

    private static async Task Describe(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancel)
    {
        var rules = context.Description.ActionDescriptor.EndpointMetadata;
        var document = context.Document ?? throw new InvalidOperationException("An operation is described outside a document.");
        operation.Responses ??= [];
        foreach (var answer in rules.OfType<StreamedAnswer>())
        {
            await Describe(operation, answer, context, cancel);
        }

        if (rules.OfType<IAcceptsMetadata>().LastOrDefault()?.RequestType == typeof(Stream))
        {
            foreach (var type in operation.RequestBody!.Content!.Keys.ToArray())
            {
                operation.RequestBody.Content[type] = new OpenApiMediaType { Schema = Bytes() };
            }
        }

        if (rules.OfType<OpenToAll>().LastOrDefault() is null)
        {
            var role = (rules.OfType<Needs>().LastOrDefault() ?? new(ApiRole.Operator)).Role.ToString().ToLowerInvariant();
            operation.Description = $"{operation.Description} Needs the key of {(role[0] is 'o' ? "an" : "a")} {role}.".TrimStart();
            operation.Security =
            [
                new() { [new OpenApiSecuritySchemeReference(Bearer, document)] = [role] },
                new() { [new OpenApiSecuritySchemeReference(ApiKeyHeader, document)] = [role] },
            ];
        }

        document.AddComponent(ProblemSchema, await context.GetOrCreateSchemaAsync(typeof(ProblemForm), null, cancel));
        foreach (var status in Refused(rules, operation).Order())
        {
            operation.Responses[$"{status}"] = new OpenApiResponse
            {
                Description = Problem.TitleOf(status),
                Headers = status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable ? RetryAfter() : null,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [Problem.ContentType] = new() { Schema = new OpenApiSchemaReference(ProblemSchema, document) },
                },
            };
        }
    }

    private static async Task Describe(
        OpenApiOperation operation,
        StreamedAnswer answer,
        OpenApiOperationTransformerContext context,
        CancellationToken cancel
    )
    {
        const string Ok = "200";
        if (operation.Responses!.GetValueOrDefault(Ok) is not OpenApiResponse response)
        {
            operation.Responses![Ok] = response = new() { Description = "OK" };
        }

        var schema = Bytes();
        if (answer.Item is { } item)
        {
            var name = OpenApiOptions.CreateDefaultSchemaReferenceId(JsonSerializerOptions.Web.GetTypeInfo(item))!;
            context.Document!.AddComponent(name, await context.GetOrCreateSchemaAsync(item, null, cancel));
            (schema.ContentMediaType, schema.ContentSchema) = ("application/json", new OpenApiSchemaReference(name, context.Document));
        }

        (response.Content ??= new Dictionary<string, OpenApiMediaType>())[answer.ContentType] = new() { Schema = schema };
    }

    private static OpenApiSchema Bytes() => new() { Type = JsonSchemaType.String, Format = "binary" };

    /// <summary>What the chain refuses by the rules of a route, and what the route says that it refuses itself.</summary>
    private static HashSet<int> Refused(IList<object> rules, OpenApiOperation operation)
    {
        HashSet<int> refused =
        [
            .. rules.OfType<Refusals>().SelectMany(refusals => refusals.Statuses),
            StatusCodes.Status500InternalServerError,
            StatusCodes.Status503ServiceUnavailable,
        ];
        if (rules.OfType<OpenToAll>().LastOrDefault() is null)
        {
            refused.UnionWith([StatusCodes.Status401Unauthorized, StatusCodes.Status403Forbidden]);
        }

        if (!rules.OfType<OpenToAll>().Any(open => open.Unlimited) && !rules.OfType<TakesInBulk>().Any())
        {
            refused.Add(StatusCodes.Status429TooManyRequests);
        }

        if (rules.OfType<TakesQuery>().Any() || operation.RequestBody is not null)
        {
            refused.Add(StatusCodes.Status400BadRequest);
        }

        if (operation.RequestBody is not null)
        {
            refused.UnionWith([StatusCodes.Status413PayloadTooLarge, StatusCodes.Status415UnsupportedMediaType]);
        }

        if (rules.OfType<OncePerKey>().Any())
        {
            refused.UnionWith([StatusCodes.Status400BadRequest, StatusCodes.Status409Conflict, StatusCodes.Status422UnprocessableEntity]);
        }

        return refused;
    }

    private static Dictionary<string, IOpenApiHeader> RetryAfter() =>
        new()
        {
            ["Retry-After"] = new OpenApiHeader
            {
                Description = "Seconds to wait before the same request may be sent again.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64" },
            },
        };
}
