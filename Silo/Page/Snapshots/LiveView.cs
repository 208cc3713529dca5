using Microsoft.AspNetCore.Components;

namespace Silo.Page.Snapshots;

/// <summary>A view of a shared snapshot: rendered with what is known, and again after each reading, as long as it is shown.</summary>
public abstract class LiveView<T> : ComponentBase, IDisposable
{
    /// <summary>So long the first picture, which comes with the page, waits for a reading.</summary>
    private static readonly TimeSpan FirstPictureWait = TimeSpan.FromMilliseconds(500);

    private SharedSnapshot<T>? _snapshot;
    private IDisposable? _watch;
    private bool _disposed;

    [Inject]
    protected TimeProvider Clock { get; set; } = null!;

    /// <summary>What is shown; null before the first reading.</summary>
    protected Sample<T>? Sample { get; private set; }

    /// <summary>The snapshot for the parameters as they are now. Asked whenever they are set.</summary>
    protected abstract SharedSnapshot<T> Choose();

    /// <summary>What is known stands in the first picture, and does not come and go while a view reads something else.</summary>
    protected override void OnInitialized() => Sample = Choose().Last;

    protected override async Task OnParametersSetAsync()
    {
        var chosen = Choose();
        if (chosen == _snapshot)
        {
            return;
        }

        _watch?.Dispose();
        _snapshot = chosen;
        Sample = chosen.Last;
        var reading = chosen.Get().AsTask();
        if (!RendererInfo.IsInteractive && await Task.WhenAny(reading, Task.Delay(FirstPictureWait, Clock)) != reading)
        {
            return; // The circuit shows it when it comes.
        }

        Sample = await reading;
        if (RendererInfo.IsInteractive && !_disposed && _snapshot == chosen)
        {
            _watch = chosen.Watch(() => InvokeAsync(() => Show(chosen)));
        }
    }

    private void Show(SharedSnapshot<T> from)
    {
        if (!_disposed && from == _snapshot)
        {
            Sample = from.Last;
            StateHasChanged();
        }
    }

    public void Dispose()
    {
        _disposed = true;
        _watch?.Dispose();
        GC.SuppressFinalize(this);
    }
}
