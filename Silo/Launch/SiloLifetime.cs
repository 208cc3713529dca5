using System.Runtime.InteropServices;
using Silo.StartUp;

namespace Silo.Launch;

/// <summary>
/// Ctrl-C, SIGTERM and SIGQUIT ask the silo to drain and leave the cluster; Ctrl-C a second time ends it at once.
/// All that the silo does with signals is here.
/// </summary>
public sealed class SiloLifetime(IHostApplicationLifetime application) : IHostLifetime, IDisposable
{
    private readonly List<PosixSignalRegistration> _signals = [];
    private int _interrupts;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        foreach (var signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT])
        {
            _signals.Add(PosixSignalRegistration.Create(signal, Stop));
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        if (context.Signal == PosixSignal.SIGINT && Interlocked.Increment(ref _interrupts) > 1)
        {
            Console.Error.WriteLine("Ended at once; the other silos will find out by themselves.");
            Environment.Exit(ExitCodes.Interrupted);
        }

        application.StopApplication();
    }
}
