using System.Collections.Immutable;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Silo.Middleware;

/// <summary>One thing that is wrong with a request, and where.</summary>
/// <param name="Detail">A sentence.</param>
/// <param name="At">Where in the body: a JSON Pointer (RFC 6901) as a fragment, <c>#/maxPages</c>.</param>
/// <param name="Parameter">Or the name of the parameter of the query.</param>
public sealed record Fault(string Detail, string? At = null, string? Parameter = null);

/// <summary>An error as it is answered: problem details (RFC 9457), <c>application/problem+json</c>; to gRPC its own status.</summary>
/// <param name="Detail">What is wrong and what would be right, in a sentence.</param>
public sealed record Problem(int Status, string Detail, ImmutableArray<Fault> Faults = default, TimeSpan? RetryAfter = null) : IResult
{
    public const string ContentType = "application/problem+json";

    /// <summary>Wrong in these ways; there is one at least.</summary>
    public static Problem Invalid(params IEnumerable<Fault> faults)
    {
        ImmutableArray<Fault> all = [.. faults];
        return new(StatusCodes.Status400BadRequest, all.Length == 1 ? all[0].Detail : $"{all.Length} things are wrong.", all);
    }

    public static Problem NotFound(string detail) => new(StatusCodes.Status404NotFound, detail);

    /// <summary>What the status means, in a word or two.</summary>
    public string Title => TitleOf(Status);

    /// <inheritdoc cref="Title"/>
    public static string TitleOf(int status) =>
        status switch
        {
            StatusCodes.Status400BadRequest => "The request is wrong",
            StatusCodes.Status401Unauthorized => "A key is needed",
            StatusCodes.Status403Forbidden => "Not allowed",
            StatusCodes.Status404NotFound => "There is nothing here",
            StatusCodes.Status405MethodNotAllowed => "Not this method",
            StatusCodes.Status409Conflict => "Not in this state",
            StatusCodes.Status412PreconditionFailed => "Another version",
            StatusCodes.Status413PayloadTooLarge => "Too large",
            StatusCodes.Status415UnsupportedMediaType => "Not this kind of content",
            StatusCodes.Status422UnprocessableEntity => "Not the same request",
            StatusCodes.Status429TooManyRequests => "Too fast",
            StatusCodes.Status500InternalServerError => "It failed here",
            StatusCodes.Status503ServiceUnavailable => "Not at the moment",
            _ => Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status),
        };

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        if (RetryAfter is { } wait)
        {
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        if (httpContext.GetEndpoint()?.Metadata.GetMetadata<ITellsProblems>() is { } form)
        {
            return form.Tell(httpContext, this);
        }

        if (httpContext.Request.ContentType?.StartsWith("application/grpc", StringComparison.Ordinal) == true)
        {
            return AnswerGrpc(response);
        }

        response.StatusCode = Status;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-store";
        var body = JsonSerializer.SerializeToUtf8Bytes(Form(httpContext), ProblemJson.AsItIs.ProblemForm);
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body, httpContext.RequestAborted).AsTask();
    }

    private ProblemForm Form(HttpContext context) =>
        new(
            "about:blank",
            Title,
            Status,
            Detail,
            context.Request.Path,
            Tracing.IdOf(context),
            Faults.IsDefaultOrEmpty ? null : [.. Faults.Select(fault => new FaultForm(fault.Detail, fault.At, fault.Parameter))]
        );

    /// <summary>A status without messages goes in the headers ("Trailers-Only" of the gRPC protocol over HTTP/2).</summary>
    private Task AnswerGrpc(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] = GrpcStatus.ToString(CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = Uri.EscapeDataString(Detail);
        return Task.CompletedTask;
    }

    private int GrpcStatus =>
        Status switch
        {
            StatusCodes.Status400BadRequest or StatusCodes.Status413PayloadTooLarge => 3, // INVALID_ARGUMENT
            StatusCodes.Status401Unauthorized => 16, // UNAUTHENTICATED
            StatusCodes.Status403Forbidden => 7, // PERMISSION_DENIED
            StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed => 12, // UNIMPLEMENTED: no such service or method
            StatusCodes.Status429TooManyRequests => 8, // RESOURCE_EXHAUSTED
            StatusCodes.Status503ServiceUnavailable => 14, // UNAVAILABLE
            _ => 13, // INTERNAL
        };
}

/// <summary>A problem as programs read it: the members of RFC 9457, and two more.</summary>
/// <param name="Type">Always <c>about:blank</c>: the status says what kind it is.</param>
/// <param name="Title">What the status means, in a word or two.</param>
/// <param name="Detail">What is wrong and what would be right, in a sentence.</param>
/// <param name="Instance">The path that was asked for.</param>
/// <param name="TraceId">Under which the log has more.</param>
/// <param name="Errors">Each thing that is wrong with the request, where the status is 400.</param>
public sealed record ProblemForm(
    string Type,
    string Title,
    int Status,
    string Detail,
    string? Instance,
    string TraceId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ImmutableArray<FaultForm>? Errors = null
);

/// <summary>One thing that is wrong, and where.</summary>
/// <param name="Detail">A sentence.</param>
/// <param name="At">Where in the body: a JSON Pointer (RFC 6901) as a fragment.</param>
/// <param name="Parameter">Or the name of the parameter of the query.</param>
public sealed record FaultForm(
    string Detail,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("pointer")] string? At = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Parameter = null
);

/// <summary>Problems as JSON: camelCase, text as it is.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(ProblemForm))]
internal sealed partial class ProblemJson : JsonSerializerContext
{
    /// <summary>Text as it is: a problem is no part of a web page.</summary>
    public static ProblemJson AsItIs =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
