using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Sql;

/// <summary>Why a SQL process ended before it had answered.</summary>
public enum SqlProcessEnd
{
    /// <summary>Its statement's time was over, or nobody waits for the answer any more.</summary>
    Stopped,

    /// <summary>It needed more memory than it may have.</summary>
    Memory,

    /// <summary>It crashed, or answered what is no answer.</summary>
    Crash,

    /// <summary>It ended before it was asked anything.</summary>
    NotStarted,
}

/// <summary>
/// One SQL process as its parent sees it (<see cref="SqlChild"/>): asked one statement after the other, watched, and killed when it takes
/// too long or too much. Disposing it kills it.
/// </summary>
internal sealed class SqlProcess : IDisposable
{
    /// <summary>Between two looks at its resident memory: at a gigabyte a second it is 50 MiB over the limit when it is killed.</summary>
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(50);

    /// <summary>From the end of an answer until it is ready for the next: it closes its database meanwhile.</summary>
    private static readonly TimeSpan TidyUp = TimeSpan.FromSeconds(1);

    /// <summary>A process that was killed is gone after this, or the system keeps it and nobody waits for it.</summary>
    private static readonly TimeSpan Dying = TimeSpan.FromSeconds(2);

    private const int MaxErrorText = 4 * 1024;

    private const int KilledBySignal = 128;
    private const int SignalKill = 9;

    private readonly Process _process;
    private readonly Stream _input;
    private readonly Stream _output;
    private readonly Task<string> _errors;
    private Task _ready;
    private bool _wasReady;
    private bool _isAsked;

    private SqlProcess(Process process)
    {
        _process = process;
        _input = process.StandardInput.BaseStream;
        _output = new BufferedStream(process.StandardOutput.BaseStream, 64 * 1024);
        _errors = ReadErrors(process.StandardError);
        _ready = Expect(SqlFrameKind.Ready);
    }

    public int Id => _process.Id;

    /// <summary>The beginning of what it said on its standard error, once it has ended.</summary>
    public string Errors => _errors.IsCompletedSuccessfully ? _errors.Result : "";

    /// <summary>It has answered all that it was asked, and waits or is about to.</summary>
    public bool MayBeAsked => !_isAsked && !_ready.IsFaulted && !_process.HasExited;

    /// <exception cref="Win32Exception">The program cannot be started.</exception>
    public static SqlProcess Start(SqlProgram program)
    {
        ProcessLimits.InheritNothing();
        return new(Process.Start(program.StartInfo()) ?? throw new InvalidOperationException("No process was started."));
    }

    /// <summary>Asks one statement. Whatever it does to the process, there is an answer.</summary>
    /// <exception cref="OperationCanceledException">
    /// <paramref name="stop"/> said so. Then the process is killed; one that has not begun with the statement is left alone, for it may
    /// serve the next.
    /// </exception>
    public async Task<(SqlAnswer Answer, SqlProcessEnd? Ended)> Ask(SqlRequest request, CancellationToken stop)
    {
        using var over = new CancellationTokenSource();
        var watch = Watch(request.DataBytes, over.Token);
        try
        {
            await _ready.WaitAsync(stop);
            (_wasReady, _isAsked) = (true, true);
            using (stop.UnsafeRegister(static process => ((SqlProcess)process!).Kill(), this))
            {
                var answer = await Answer(request);
                _isAsked = !await IsReadyAgain();
                return (answer, null);
            }
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException)
        {
            Kill();
            stop.ThrowIfCancellationRequested();
            await over.CancelAsync();
            return await Died(request, await watch);
        }
        finally
        {
            await over.CancelAsync();
            await watch;
        }
    }

    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (Exception gone) when (gone is InvalidOperationException or Win32Exception)
        {
            // It is gone, or going.
        }
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    private async Task<SqlAnswer> Answer(SqlRequest request)
    {
        SqlFrames.Write(_input, SqlFrameKind.Request, request, SqlJson.Default.SqlRequest);
        await _input.FlushAsync();
        return await SqlFrames.ReadAnswer(_output, request);
    }

    /// <summary>False: it ended after this statement, or does not come to its end. Then another process runs the next.</summary>
    private async Task<bool> IsReadyAgain()
    {
        _ready = Expect(SqlFrameKind.Ready);
        await _ready.WaitAsync(TidyUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _ready.IsCompletedSuccessfully;
    }

    /// <summary>The next frame is one of these, and empty.</summary>
    private async Task Expect(SqlFrameKind kind)
    {
        if ((await SqlFrames.Next(_output, maxBytes: 0)).Kind is var other && other != kind)
        {
            throw new InvalidDataException($"A frame of {kind} was to come; this is one of {other}.");
        }
    }

    /// <summary>
    /// Looks at the resident memory until it is told to stop, and kills the process when there is too much of it. The answer is the most
    /// that was seen.
    /// </summary>
    private async Task<long> Watch(long limit, CancellationToken over)
    {
        var most = 0L;
        using var look = new PeriodicTimer(BetweenLooks);
        try
        {
            do
            {
                _process.Refresh();
                most = Math.Max(most, _process.WorkingSet64);
                if (most > limit)
                {
                    Kill();
                    break;
                }
            } while (await look.WaitForNextTickAsync(over));
        }
        catch (Exception ended) when (ended is OperationCanceledException or InvalidOperationException or Win32Exception)
        {
            // The statement or the process is over.
        }

        return most;
    }

    private async Task<(SqlAnswer Answer, SqlProcessEnd? Ended)> Died(SqlRequest request, long mostResident)
    {
        var errors = "";
        using var bound = new CancellationTokenSource(Dying);
        try
        {
            await _process.WaitForExitAsync(bound.Token);
            errors = await _errors.WaitAsync(bound.Token);
        }
        catch (OperationCanceledException)
        {
            return (Crashed("it did not end when it was told to"), SqlProcessEnd.Crash);
        }

        var signal = _process.ExitCode - KilledBySignal;
        if (!_wasReady)
        {
            return (
                SqlAnswer.Of(
                    new(QueryOutcome.Crash, "The process that runs statements could not be started; the log of this silo says why.", [])
                ),
                SqlProcessEnd.NotStarted
            );
        }

        var wasMemory =
            mostResident > request.DataBytes * 3 / 4
            || signal == SignalKill // Not by us: then somebody ends processes for want of memory.
            || errors.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
            || errors.Contains("bad_alloc", StringComparison.Ordinal);
        return wasMemory
            ? (
                SqlAnswer.Of(
                    new(
                        QueryOutcome.Memory,
                        $"It needed more than the {request.DataBytes} bytes that its process may have (Logs:QueryMemory). Ask "
                            + $"for less, or for a shorter time.",
                        []
                    )
                ),
                SqlProcessEnd.Memory
            )
            : (
                Crashed(
                    signal > 0
                        ? string.Create(CultureInfo.InvariantCulture, $"signal {signal}")
                        : string.Create(CultureInfo.InvariantCulture, $"exit code {_process.ExitCode}")
                ),
                SqlProcessEnd.Crash
            );
    }

    private static SqlAnswer Crashed(string how) =>
        SqlAnswer.Of(
            new(
                QueryOutcome.Crash,
                $"The database crashed over this statement ({how}). Only this query was lost. Ask in another way: with other "
                    + $"functions, or in smaller steps.",
                []
            )
        );

    /// <summary>The beginning of what it says; the rest is read and dropped, so that it never waits for a reader.</summary>
    private static async Task<string> ReadErrors(StreamReader errors)
    {
        var text = new StringBuilder();
        var buffer = new char[1024];
        while (await errors.ReadAsync(buffer) is > 0 and var read)
        {
            text.Append(buffer, 0, Math.Min(read, MaxErrorText - text.Length));
        }

        return text.ToString();
    }
}
