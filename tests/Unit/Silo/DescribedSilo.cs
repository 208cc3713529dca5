using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Silo.Http;
using Silo.Launch;
using Silo.Settings;
using Unit.Storage;

namespace Unit.Silo;

/// <summary>The whole silo, made and never started, to be asked what it is.</summary>
internal static class DescribedSilo
{
    private static readonly Lazy<Task<string>> s_openApi = new(() =>
        Ask(async silo =>
        {
            var document = await silo.GetRequiredKeyedService<IOpenApiDocumentProvider>(ApiDescription.Name)
                .GetOpenApiDocumentAsync(CancellationToken.None);
            return await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1, CancellationToken.None);
        })
    );

    /// <summary>The description of its API, as <c>GET /openapi/v1.json</c> answers with it.</summary>
    public static Task<string> OpenApi() => s_openApi.Value;

    public static async Task<T> Ask<T>(Func<IServiceProvider, Task<T>> ask)
    {
        using var folder = new TemporaryFolder();
        var modules = global::Silo.Program.Modules;
        var builder = Launcher.CreateBuilder(CommandLine.Parse(["--Storage:Path", folder.Path], modules.Settings));
        modules.AddServices(builder);
        await using var silo = builder.Build();
        modules.MapRoutes(silo);
        silo.UseEndpoints(_ => { }); // As its start does it: from here on what asks for all routes finds these.
        return await ask(silo.Services);
    }
}
