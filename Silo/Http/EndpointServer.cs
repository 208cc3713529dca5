using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Silo.Endpoints;

namespace Silo.Http;

/// <summary>Kestrel, but only when there is an endpoint to open: without one it would open a port of its own choice.</summary>
internal sealed class EndpointServer(IServer kestrel, ListeningEndpoints endpoints) : IServer
{
    public IFeatureCollection Features => kestrel.Features;

    /// <summary>Puts itself in the place of the server that is registered.</summary>
    public static void Replace(IServiceCollection services)
    {
        var server = services.Last(service => service.ServiceType == typeof(IServer));
        var kestrel = server.ImplementationType ?? throw new InvalidOperationException("The server is not registered by its type.");
        services.RemoveAll<IServer>();
        services.AddSingleton(kestrel);
        services.AddSingleton<IServer>(provider => new EndpointServer(
            (IServer)provider.GetRequiredService(kestrel),
            provider.GetRequiredService<ListeningEndpoints>()
        ));
    }

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull => endpoints.Open.Any() ? kestrel.StartAsync(application, cancellationToken) : Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) =>
        endpoints.Open.Any() ? kestrel.StopAsync(cancellationToken) : Task.CompletedTask;

    public void Dispose()
    {
        // The container disposes of Kestrel, which it has made.
    }
}
