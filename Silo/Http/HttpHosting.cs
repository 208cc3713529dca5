using Silo.Cluster;

namespace Silo.Http;

/// <summary>The HTTP port: where it is, what a person sees who opens it in a browser, and what anybody gets for a path that does not exist.</summary>
public static class HttpHosting
{
    public static void AddHttp(this WebApplicationBuilder builder)
    {
        // Our own settings say where; ASPNETCORE_URLS and the like are overridden, and Kestrel warns of it.
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(kestrel.ApplicationServices.GetRequiredService<Doors>().Http.EndPoint);
        });
        builder.Services.AddProblemDetails();
        builder.AddHealth();
    }

    public static void MapFrontPage(this WebApplication app)
    {
        app.UseExceptionHandler();
        app.MapGet("/", (Doors doors) => Results.Text(Text(doors)));
        app.MapFallback("{*path}", (HttpRequest request) => Results.Problem(
            title: "There is nothing here.",
            detail: $"{request.Method} {request.Path} is not known. / says what is.",
            statusCode: StatusCodes.Status404NotFound));
    }

    private static string Text(Doors doors) =>
        $"""
        {About.Name} {About.Version}: {About.Purpose}

        /health/startup  200 when the silo has joined its cluster
        /health/ready    200 while it takes work: joined, not stopping, and its store answers
        /health/live     200 while the process answers

        The console talks to the port for clients: dotnet run --project Client -- cluster status --gateway {doors.Gateway.EndPoint}

        """;
}
