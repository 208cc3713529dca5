namespace Doubles.Processes;

/// <summary>What a process has printed so far, and waits for what it will.</summary>
internal sealed class PrintedLines
{
    private readonly Lock _gate = new();
    private readonly List<string> _output = [];
    private readonly List<string> _errors = [];
    private readonly List<(Func<bool> IsSo, TaskCompletionSource Seen)> _awaited = [];
    private Exception? _end;

    public IReadOnlyList<string> Output => Copy(_output);

    public IReadOnlyList<string> Errors => Copy(_errors);

    /// <summary>For the message of a test that fails.</summary>
    public string All => string.Join(Environment.NewLine, [.. Output, .. Errors]);

    /// <param name="line">Null, for the end of the stream, is left out.</param>
    public void AddOutput(string? line) => Add(line, _output);

    /// <inheritdoc cref="AddOutput"/>
    public void AddError(string? line) => Add(line, _errors);

    /// <summary>Ends with the line after which it is so; fails when the process ends before.</summary>
    public Task When(Func<bool> isSo)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _awaited.Add((isSo, seen));
        }

        Look();
        return seen.Task;
    }

    /// <summary>No more lines come: whoever still waits is told of this.</summary>
    public void End(Exception end)
    {
        lock (_gate)
        {
            _end = end;
        }

        Look();
    }

    private void Add(string? line, List<string> lines)
    {
        if (line is null)
        {
            return;
        }

        lock (_gate)
        {
            lines.Add(line);
        }

        Look();
    }

    private void Look()
    {
        (Func<bool> IsSo, TaskCompletionSource Seen)[] awaited;
        Exception? end;
        lock (_gate)
        {
            (awaited, end) = ([.. _awaited], _end);
        }

        foreach (var one in awaited)
        {
            if (one.IsSo())
            {
                one.Seen.TrySetResult();
            }
            else if (end is not null)
            {
                one.Seen.TrySetException(end);
            }

            if (one.Seen.Task.IsCompleted)
            {
                lock (_gate)
                {
                    _awaited.Remove(one);
                }
            }
        }
    }

    private List<string> Copy(List<string> lines)
    {
        lock (_gate)
        {
            return [.. lines];
        }
    }
}
