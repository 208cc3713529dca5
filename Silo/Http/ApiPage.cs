using System.Security.Cryptography;
using Microsoft.AspNetCore.Routing.Patterns;
using Scalar.AspNetCore;
using Silo.Middleware;
using Silo.StartUp;

namespace Silo.Http;

/// <summary>
/// The description of the API for people, at <c>/api</c>: Scalar, from the silo's own assemblies. The page loads nothing from elsewhere,
/// and calls nobody but the silo that it came from; the key that is typed there is kept in the page alone.
/// </summary>
internal static class ApiPage
{
    public const string Path = "/api";

    public static void MapApiPage(this WebApplication app) =>
        app.MapScalarApiReference(Path, Configure).ForAll().ExcludeFromDescription().Add(OnlyHere);

    private static void Configure(ScalarOptions scalar, HttpContext context)
    {
        var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy =
            $"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
            + "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
        scalar
            .WithTitle($"{About.Name}: API")
            .WithOpenApiRoutePattern(ApiDescription.Path)
            .WithNonce(nonce)
            .DisableDefaultFonts()
            .DisableTelemetry()
            .DisableAgent()
            .DisableMcp()
            .HideClientButton()
            .AddPreferredSecuritySchemes(ApiDescription.Bearer);
        scalar.ShowDeveloperTools = DeveloperToolsVisibility.Never;
    }

    /// <summary>The package would have a document of every name below: what is no path of the API stays a 404.</summary>
    private static void OnlyHere(EndpointBuilder endpoint)
    {
        if (endpoint is RouteEndpointBuilder { RoutePattern.Parameters.Count: > 0 } page)
        {
            page.RoutePattern = RoutePatternFactory.Parse(Path);
        }
    }
}
