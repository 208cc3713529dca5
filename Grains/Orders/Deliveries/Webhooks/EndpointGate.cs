using Grains.Orders.Rows;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>
/// What a request to one endpoint passes on its way out: a place in the window, for which it waits in line; the pace; the circuit; and the
/// wait that the endpoint asked for with Retry-After, which is
/// the endpoint's and not only that of the request it was the answer to. What does not get through is answered with how long to wait, and
/// is no attempt.
/// </summary>
/// <remarks>
/// For one thread at a time: each await comes back to where it was begun. Clocks that are set forth or back change nothing
/// (<see cref="MonotonicTimeProvider"/>).
/// When the circuit closes, and after <see cref="Restart"/>, window and pace begin slowly: what has piled up is ramped.
/// </remarks>
public sealed class EndpointGate
{
    /// <summary>Requests in line; what is more is turned away at once.</summary>
    public const int MaxInLine = 256;

    /// <summary>For a place, in line.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>What is turned away for want of a place comes again after this.</summary>
    public static readonly TimeSpan NoPlaceWait = TimeSpan.FromSeconds(1);

    /// <summary>For the pace a request waits here when it is its turn so soon; it is told to come again when not.</summary>
    public static readonly TimeSpan PacePatience = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Whoever is held back by a Retry-After asks again after so long at most: the endpoint may have been enabled meanwhile.
    /// </summary>
    public static readonly TimeSpan MostTold = EndpointBreaker.LongestBreak;

    private readonly TimeProvider _time;
    private readonly TimeProvider _guards;
    private readonly EndpointWindow _window;
    private readonly SendRate _pace;
    private readonly LinkedList<TaskCompletionSource> _line = [];
    private EndpointBreaker _breaker;
    private int _hasClosed;
    private DateTimeOffset _openUntil;
    private DateTimeOffset _restsUntil;

    /// <param name="guards">For how long a request stands in line.</param>
    /// <param name="mostInFlight">Requests in flight, when the window is wide open.</param>
    /// <param name="perSecond">Requests a second, when the pace is full.</param>
    public EndpointGate(TimeProvider clock, TimeProvider guards, int mostInFlight, double perSecond)
    {
        _time = new MonotonicTimeProvider(clock);
        _guards = guards;
        _window = new(mostInFlight);
        _pace = new(perSecond, Now);
        _breaker = NewBreaker();
    }

    public EndpointCircuit Circuit => _breaker.Circuit;

    /// <summary>Requests a second when the rate is full.</summary>
    public double PerSecond
    {
        get => _pace.Full;
        set => _pace.Full = value;
    }

    /// <summary>Requests a second that are allowed now.</summary>
    public double Rate => _pace.Rate(Now);

    public int InFlight => _window.InFlight;

    /// <summary>Requests that may be in flight now.</summary>
    public int Window => _window.Limit;

    public int InLine => _line.Count;

    private DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>Sends when it may, or answers <see cref="WebhookOutcome.IsNoAttempt"/> and when to come again.</summary>
    /// <param name="send">Called at most once. It may run on another thread.</param>
    public async Task<WebhookOutcome> Send(Func<CancellationToken, Task<WebhookOutcome>> send, CancellationToken cancel)
    {
        if (HeldOff() is { } heldOff)
        {
            return heldOff;
        }

        if (!_window.TryEnter() && !await Place(cancel))
        {
            return NoPlace;
        }

        var outcome = NoPlace; // As long as nothing is known of it: an exception is no attempt.
        try
        {
            outcome = HeldOff() ?? await Turn(cancel) ?? await _breaker.Send(send, cancel);
            return outcome;
        }
        finally
        {
            Leave(outcome);
        }
    }

    /// <summary>The endpoint was enabled: its circuit is closed, and window and pace begin slowly.</summary>
    public void Restart()
    {
        _breaker = NewBreaker();
        _openUntil = default;
        _restsUntil = default;
        Slowly();
    }

    private static WebhookOutcome NoPlace { get; } =
        WebhookOutcome.NotSent(WebhookFailure.NoPlace, NoPlaceWait, "as many requests to the endpoint are under way as may");

    /// <summary>The circuit is open, and it is known for how long: nobody need take a place or a turn to hear so.</summary>
    private WebhookOutcome? HeldOff() =>
        _restsUntil - Now is { Ticks: > 0 } rest
            ? WebhookOutcome.NotSent(WebhookFailure.RetryAfter, rest < MostTold ? rest : MostTold, "the endpoint asked to wait")
        : _openUntil - Now is { Ticks: > 0 } wait && _breaker.Circuit == EndpointCircuit.Open
            ? WebhookOutcome.NotSent(WebhookFailure.CircuitOpen, wait, "the endpoint failed too often just now")
        : null;

    private async Task<bool> Place(CancellationToken cancel)
    {
        if (_line.Count >= MaxInLine)
        {
            return false;
        }

        var place = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var node = _line.AddLast(place);
        try
        {
            await place.Task.WaitAsync(Patience, _guards, cancel);
            return true;
        }
        catch (Exception over) when (over is TimeoutException or OperationCanceledException)
        {
            if (!place.Task.IsCompleted)
            {
                _line.Remove(node);
            }
            else if (over is TimeoutException)
            {
                return true; // It came at the last moment.
            }
            else
            {
                Leave(NoPlace);
            }

            return over is TimeoutException ? false : throw new OperationCanceledException(cancel);
        }
    }

    /// <summary>Null when it is its turn.</summary>
    private async Task<WebhookOutcome?> Turn(CancellationToken cancel)
    {
        var end = Now + PacePatience;
        while (_pace.Wait(Now) is { Ticks: > 0 } wait)
        {
            if (Now + wait > end)
            {
                return WebhookOutcome.NotSent(WebhookFailure.Rate, wait, "the endpoint's rate is used up");
            }

            await Task.Delay(wait, _time, cancel);
        }

        return null;
    }

    private void Leave(WebhookOutcome outcome)
    {
        _window.Leave(outcome);
        if (Interlocked.Exchange(ref _hasClosed, 0) == 1)
        {
            Slowly();
        }

        // The last word counts: of answers to requests that were in flight together, too.
        if (outcome is { Verdict: WebhookVerdict.Throttled, RetryAfter: { } rest })
        {
            _restsUntil = Now + rest;
        }

        if (
            outcome is { Reason: DeferredReasons.CircuitOpen, RetryAfter: { } wait }
            && _openUntil - Now is var known
            && (known <= TimeSpan.Zero || wait < known)
        )
        {
            _openUntil = Now + wait;
        }

        while (_line.First is { } first && _window.TryEnter())
        {
            _line.RemoveFirst();
            first.Value.SetResult();
        }
    }

    private void Slowly()
    {
        _window.Close();
        _pace.Restart(Now);
    }

    /// <summary>It tells on whatever thread that it has closed: what follows from that is done by who leaves next.</summary>
    private EndpointBreaker NewBreaker() => new(_time, () => Interlocked.Exchange(ref _hasClosed, 1));
}
