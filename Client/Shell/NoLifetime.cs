using Microsoft.Extensions.Hosting;

namespace Client.Shell;

/// <summary>A host inside the console leaves Ctrl-C to the verb that runs.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
