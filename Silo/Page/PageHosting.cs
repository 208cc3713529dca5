using Grains;
using Grains.Interfaces.Keys;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.FluentUI.AspNetCore.Components;
using Silo.Middleware;
using Silo.Page.Sessions;
using Silo.Page.Snapshots;

namespace Silo.Page;

/// <summary>The page for people at <c>/</c>: Blazor, rendered here and kept up to date by a circuit for each viewer.</summary>
public static class PageHosting
{
    /// <summary>What a page may load and run: nothing that is not from here, and no script in the page itself.</summary>
    private const string ContentSecurityPolicy =
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        + "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    public static void AddPage(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        var assets = new PageAssets();
        builder.Environment.WebRootFileProvider = assets; // Where Blazor looks for what is to run first.
        services.AddSingleton(assets);
        services.AddRouting();
        services
            .AddRazorComponents()
            .AddInteractiveServerComponents(circuits =>
            {
                circuits.DisconnectedCircuitRetentionPeriod = ViewerCount.Retention;
                circuits.DisconnectedCircuitMaxRetained = ViewerCount.Max;
            })
            .AddHubOptions(hub => hub.MaximumReceiveMessageSize = 64 * 1024);
        services.AddFluentUIComponents();
        services.Configure<AntiforgeryOptions>(antiforgery =>
        {
            antiforgery.Cookie.Name = "page-form";
            antiforgery.Cookie.SameSite = SameSiteMode.Strict;
            antiforgery.SuppressXFrameOptionsHeader = true; // The policy says it, for all pages.
        });
        services.AddDataProtection().SetApplicationName("Silo.Page");
        services
            .AddOptions<KeyManagementOptions>()
            .Configure<Grains.Storage.ITableStore>((keys, store) => keys.XmlRepository = new TableXmlRepository(store));
        // That the store's rows are not encrypted again is said in the README, and not at every start.
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);

        services.AddSingleton<EndedSessions>();
        services.AddSingleton<BrowserSessions>();
        services.AddSingleton<IBrowserSessions>(provider => provider.GetRequiredService<BrowserSessions>());
        services.AddSingleton<ViewerCount>();
        services.AddSingleton<Sentences>();
        services.AddSingleton<Logs.SavedQueries>();
        services.AddSingleton<PageSnapshots>();
        services.AddHostedService(provider => new BooksSampler(
            () => provider.GetRequiredService<PageSnapshots>().Books.Get().AsTask(),
            provider.GetRequiredKeyedService<TimeProvider>(Clocks.Guards)
        ));
        services.AddScoped<PageCaller>();
        services.AddScoped<Outcomes>();
        services.AddScoped<CircuitHandler, CountedCircuit>();
    }

    public static void MapPage(this WebApplication app)
    {
        var assets = app.Services.GetRequiredService<PageAssets>();
        foreach (var folder in assets.Paths.Select(path => path.Split('/')[0]).Distinct())
        {
            app.MapGet($"/{folder}/{{**path}}", (HttpContext context) => assets.Answer(context))
                .ForAll(unlimited: true)
                .ExcludeFromDescription();
        }

        // Whether the session is over, for a page that lost its circuit.
        app.MapGet(LoginRoutes.SessionPath, () => Results.NoContent()).For(ApiRole.Reader).ExcludeFromDescription();
        app.MapPost(LoginRoutes.SessionPath, LoginRoutes.LogIn).ForAll().ExcludeFromDescription();
        app.MapPost(LoginRoutes.LogoutPath, LoginRoutes.LogOut).ForAll().ExcludeFromDescription();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(server => server.ContentSecurityFrameAncestorsPolicy = null).Add(Rule);
    }

    /// <summary>What the chain is to know of each endpoint of the page, the circuits' among them.</summary>
    private static void Rule(EndpointBuilder endpoint)
    {
        var page = endpoint.Metadata.OfType<Microsoft.AspNetCore.Components.Endpoints.ComponentTypeMetadata>().FirstOrDefault()?.Type;
        var role = page is null ? ApiRole.Reader : NeedsAttribute.Of(page);
        endpoint.Metadata.Add(role is { } needed ? new Needs(needed) : new OpenToAll());
        var answer = endpoint.RequestDelegate!;
        if (page is null)
        {
            endpoint.Metadata.Add(new TakesSession());
            endpoint.RequestDelegate = context => PageSockets.Answer(context, answer);
        }
        else
        {
            endpoint.Metadata.Add(new SendsToLogin(LoginRoutes.Path));
            endpoint.RequestDelegate = context =>
            {
                var headers = context.Response.Headers;
                headers.ContentSecurityPolicy = ContentSecurityPolicy;
                headers.XContentTypeOptions = "nosniff";
                headers["Referrer-Policy"] = "same-origin";
                context.Response.OnStarting(() =>
                {
                    headers.CacheControl = "no-store"; // Of forms it is said already, in more words.
                    return Task.CompletedTask;
                });
                return answer(context);
            };
        }
    }
}
