using Silo.Endpoints;

namespace Silo.StartUp;

/// <summary>
/// One part of a silo: one of the systems, or something that they stand on. <c>Program.cs</c> lists the parts, and each is defined in its
/// own
/// folder; to add a system takes a folder and a line there.
/// </summary>
public interface ISiloModule
{
    /// <summary>
    /// The options classes of its settings, as <c>--help</c> lists them. A setting that no part names is refused as a mistake.
    /// </summary>
    IEnumerable<Type> Settings => [];

    /// <summary>The ports that it listens on as they are set, also those that are closed. The settings are valid.</summary>
    IEnumerable<ListeningEndpoint> Endpoints(IConfiguration configuration) => [];

    /// <summary>What is wrong with its settings together, in sentences; empty when nothing is. Each alone is valid.</summary>
    IEnumerable<string> Problems(IConfiguration configuration) => [];

    /// <summary>Adds its services, its start-up checks and what it needs of Orleans.</summary>
    void AddServices(WebApplicationBuilder builder) { }

    /// <summary>Maps its routes and gRPC services; the start-up checks have passed.</summary>
    void MapRoutes(WebApplication app) { }
}
