using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Silo.Middleware;

/// <summary>For OpenAPI: what a route refuses beside what the chain refuses by the route's rules; each a <see cref="Problem"/>.</summary>
public sealed record Refusals(ImmutableArray<int> Statuses);

/// <summary>For OpenAPI: an answer of 200 that is no JSON value, to be read as bytes.</summary>
/// <param name="Item">What the data of an event, or a line, is: a JSON value of this type; null where it is none.</param>
public sealed record StreamedAnswer(string ContentType, Type? Item);

/// <summary>What the description of the API says of a route and its handler does not show.</summary>
public static class RouteDescription
{
    /// <summary>It refuses with these statuses too.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, params ReadOnlySpan<int> statuses) =>
        route.WithMetadata(new Refusals([.. statuses]));

    /// <summary>Its answer is bytes of one of these kinds.</summary>
    public static RouteHandlerBuilder Streams(this RouteHandlerBuilder route, params ReadOnlySpan<string> contentTypes)
    {
        foreach (var type in contentTypes)
        {
            route.WithMetadata(new StreamedAnswer(type, Item: null));
        }

        return route;
    }

    /// <summary>Its answer is a stream of items, each a JSON value.</summary>
    public static RouteHandlerBuilder Streams<T>(this RouteHandlerBuilder route, string contentType) =>
        route.WithMetadata(new StreamedAnswer(contentType, typeof(T)));

    /// <summary>A header that it looks at.</summary>
    public static RouteHandlerBuilder DescribesHeader(this RouteHandlerBuilder route, string name, string description) =>
        route.AddOpenApiOperationTransformer(
            (operation, _, _) =>
            {
                (operation.Parameters ??= []).Add(
                    new OpenApiParameter
                    {
                        Name = name,
                        In = ParameterLocation.Header,
                        Description = description,
                        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                    }
                );
                return Task.CompletedTask;
            }
        );

    /// <summary>A parameter of the query that is a whole number between these, inclusive; the handler reads it from text.</summary>
    public static RouteHandlerBuilder DescribesNumber(this RouteHandlerBuilder route, string name, long least, long most) =>
        route.DescribesParameter(
            name,
            new()
            {
                Type = JsonSchemaType.Integer,
                Format = most > int.MaxValue ? "int64" : "int32",
                Minimum = least.ToString(CultureInfo.InvariantCulture),
                Maximum = most.ToString(CultureInfo.InvariantCulture),
            }
        );

    /// <summary>A parameter of the query that is one of these words; the first is the default.</summary>
    public static RouteHandlerBuilder DescribesChoice(
        this RouteHandlerBuilder route,
        string name,
        string? otherwise,
        params IEnumerable<string> words
    ) =>
        route.DescribesParameter(
            name,
            new()
            {
                Type = JsonSchemaType.String,
                Enum = [.. words.Select(word => (JsonNode)JsonValue.Create(word)!)],
                Default = otherwise is null ? null : JsonValue.Create(otherwise),
            }
        );

    /// <summary>A parameter of the query that the handler does not name.</summary>
    public static RouteHandlerBuilder DescribesText(this RouteHandlerBuilder route, string name, string description) =>
        route.DescribesParameter(name, new() { Type = JsonSchemaType.String, Description = description });

    private static RouteHandlerBuilder DescribesParameter(this RouteHandlerBuilder route, string name, OpenApiSchema schema) =>
        route.AddOpenApiOperationTransformer(
            (operation, _, _) =>
            {
                var parameter = operation.Parameters?.OfType<OpenApiParameter>().SingleOrDefault(known => known.Name == name);
                if (parameter is null)
                {
                    (operation.Parameters ??= []).Add(
                        new OpenApiParameter
                        {
                            Name = name,
                            In = ParameterLocation.Query,
                            Schema = schema,
                        }
                    );
                }
                else
                {
                    parameter.Schema = schema;
                }

                return Task.CompletedTask;
            }
        );
}
