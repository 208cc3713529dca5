using System.Text;
using Grains.Interfaces.Orders;
using Silo.Middleware;

namespace Silo.Orders;

/// <summary>
/// Where links in mails lead. Open to everybody: the token is what opens it. Looking at the page changes nothing (mail programs look at
/// links by themselves); the button, and a mail program's own
/// (RFC 8058: a POST with <c>List-Unsubscribe=One-Click</c>), ends mail to that customer.
/// </summary>
internal static class UnsubscribeRoutes
{
    public static void MapUnsubscribe(this WebApplication app)
    {
        app.MapGet("/unsubscribe/{token}", Look).ForAll().WithMetadata(new HasSecretPath()).ExcludeFromDescription();
        app.MapPost("/unsubscribe/{token}", End).ForAll().WithMetadata(new HasSecretPath()).ExcludeFromDescription();
    }

    private static async Task<IResult> Look(HttpContext context, string token, OrderDesk desk) =>
        await desk.Mail.Knows(token, context.RequestAborted)
            ? Page(
                context,
                "No more mail?",
                "<p>You will get no more mail about your orders.</p><form method=\"post\"><button>No more mail</button></form>"
            )
            : Unknown(context);

    private static async Task<IResult> End(HttpContext context, string token, OrderDesk desk) =>
        await desk.Mail.Unsubscribe(token, context.RequestAborted)
            ? Page(
                context,
                "No more mail",
                "<p>You will get no more mail about your orders. What is on its way already may still arrive.</p>"
            )
            : Unknown(context);

    private static IResult Unknown(HttpContext context) =>
        Page(
            context,
            "This link is not known",
            "<p>It may have been cut off on its way: take it from the mail once more, whole. Nothing was changed.</p>",
            StatusCodes.Status400BadRequest
        );

    private static IResult Page(HttpContext context, string title, string body, int status = StatusCodes.Status200OK)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers.ContentSecurityPolicy = "default-src 'none'; form-action 'self'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        headers["X-Robots-Tag"] = "noindex";
        return Results.Content(
            $"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                + $"content=\"width=device-width\"><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>\n",
            "text/html",
            Encoding.UTF8,
            status
        );
    }
}
