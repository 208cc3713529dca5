namespace Doubles;

/// <summary>Holds up whoever comes until the test opens it: what a delay is in a test without sleeps.</summary>
public sealed class Gate
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Done when the first has come.</summary>
    public Task Reached => _reached.Task;

    /// <summary>Lets through all who wait and all who come later.</summary>
    public void Open() => _open.TrySetResult();

    public Task Pass(CancellationToken cancel = default)
    {
        _reached.TrySetResult();
        return _open.Task.WaitAsync(cancel);
    }
}
