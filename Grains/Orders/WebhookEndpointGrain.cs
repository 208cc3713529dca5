using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Deliveries.Webhooks;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;

namespace Grains.Orders;

/// <summary>
/// Keeps one endpoint: <see cref="EndpointState"/> decides, <see cref="EndpointGate"/> lets requests out, an <see cref="IWebhookSender"/>
/// sends them.
/// </summary>
/// <remarks>
/// Reentrant, because requests are under way side by side. It holds because what changes the state is done one at a time
/// (<see cref="Change"/>), on what is stored, and counts when it is stored;
/// and because the gate decides between awaits. Of failures only the first is written at once, and the last number of them at most once a
/// minute: a crash forgets a few.
/// </remarks>
[Reentrant]
[GrainType("webhookendpoint")]
public sealed partial class WebhookEndpointGrain : Grain, IWebhookEndpointGrain, IDisposable
{
    /// <summary>A row that others changed, or of which nothing is known, is read again so often.</summary>
    private const int MaxTries = 3;

    private const int MaxTests = 2;

    private static readonly TimeSpan CountEvery = TimeSpan.FromMinutes(1);

    private readonly ITableStore _store;
    private readonly IWebhookSender _sender;
    private readonly WebhooksOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<WebhookEndpointGrain> _logger;
    private readonly EndpointGate _gate;
    private readonly SemaphoreSlim _turn = new(1);
    private Kept? _kept;
    private int _tests;

    public WebhookEndpointGrain(
        ITableStore store,
        IWebhookSender sender,
        IOptions<WebhooksOptions> options,
        TimeProvider clock,
        [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
        ILogger<WebhookEndpointGrain> logger
    )
    {
        _store = store;
        _sender = sender;
        _options = options.Value;
        _clock = clock;
        _logger = logger;
        _gate = new(clock, guards, _options.MaxInFlight, _options.PerSecond);
    }

    private string Id => this.GetPrimaryKeyString();

    public void Dispose() => _turn.Dispose();

    public async Task<WebhookReply> Send(OrderChange change, CancellationToken cancel)
    {
        if (await State(cancel) is not { } state || !(state.Events.IsEmpty || state.Events.Contains(change.Type)))
        {
            return new(WebhookSent.NotWanted, "not-wanted", "It is nothing for this endpoint.", After: null);
        }

        if (!state.IsEnabled)
        {
            return Disabled(state);
        }

        var message = WebhookMessage.Of(change);
        var outcome = await _gate.Send(token => Send(message, token), cancel);
        if (outcome.IsNoAttempt)
        {
            return outcome.Reason == WebhookOutcome.HeldBackReason
                ? await HeldBack(outcome, cancel)
                : new(WebhookSent.NotNow, outcome.Reason, outcome.Detail, outcome.RetryAfter);
        }

        var after = await Tried(outcome);
        return outcome.Verdict == WebhookVerdict.Delivered ? new(WebhookSent.Delivered, outcome.Reason, outcome.Detail, After: null)
            : after is { IsEnabled: false } ? Disabled(after)
            : new(WebhookSent.Failed, outcome.Reason, outcome.Detail, outcome.RetryAfter);
    }

    public async Task<ImmutableArray<string>?> Events(CancellationToken cancel) => (await State(cancel))?.Events;

    public async Task<WebhookEndpoint?> Show(CancellationToken cancel) => await State(cancel) is { } state ? Show(state) : null;

    public async Task<WebhookRotated?> Rotate(string? secret, CancellationToken cancel)
    {
        var next = WebhookSecret.New();
        if (secret is not null && !WebhookSecret.TryParse(secret, out next, out var error))
        {
            return await State(cancel) is null ? null : new(Secret: null, OldSecretUntil: null, error);
        }

        if (await Change(state => state.Rotate(next, _clock.GetUtcNow()), cancel) is not { } rotated)
        {
            return null;
        }

        LogRotated(Id);
        return new(rotated.Secret, OldUntil(rotated), Error: null);
    }

    public async Task<WebhookEndpoint?> Enable(CancellationToken cancel)
    {
        if (await Change(state => state.Enable(_clock.GetUtcNow()), cancel) is not { } state)
        {
            return null;
        }

        _gate.Restart();
        LogEnabled(Id);
        return Show(state);
    }

    public async Task<WebhookTested?> Test(CancellationToken cancel)
    {
        if (await State(cancel) is not { } state)
        {
            return null;
        }

        var (now, began) = (_clock.GetUtcNow(), _clock.GetTimestamp());
        var message = WebhookMessage.Test(Guid.NewGuid(), now);
        if (_tests >= MaxTests)
        {
            return Tested(
                WebhookOutcome.NotSent(WebhookFailure.NoPlace, EndpointGate.NoPlaceWait, "other tests of this endpoint are under way")
            );
        }

        _tests++;
        try
        {
            return Tested(await _sender.Send(new(new(state.Url), message, state.Secrets(now)), cancel));
        }
        finally
        {
            _tests--;
        }

        WebhookTested Tested(WebhookOutcome outcome) =>
            new(
                message.Id,
                outcome.Verdict == WebhookVerdict.Delivered,
                outcome.Reason,
                outcome.Detail,
                outcome.Status,
                _clock.GetElapsedTime(began)
            );
    }

    public async Task<bool> Remove(CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel);
        try
        {
            if (await Read(cancel) is null)
            {
                return false;
            }

            _kept = null;
            var result = await _store.Commit(EndpointTable.Name, EndpointTable.Partition, [RowChange.Delete(Id)], cancel);
            if (result.Outcome != CommitOutcome.Committed)
            {
                throw new IOException($"Whether endpoint {Id} is removed is not known; ask again.", result.Cause);
            }
        }
        finally
        {
            _turn.Release();
        }

        LogRemoved(Id);
        return true;
    }

    /// <summary>What waited in line goes out only if it still may; it is signed with what counts now.</summary>
    private Task<WebhookOutcome> Send(WebhookMessage message, CancellationToken cancel) =>
        _kept is { State: { IsEnabled: true } state }
            ? _sender.Send(new(new(state.Url), message, state.Secrets(_clock.GetUtcNow())), cancel)
            : Task.FromResult(WebhookOutcome.NotSent(WebhookFailure.HeldBack, EndpointGate.NoPlaceWait, "the endpoint is not what it was"));

    private async Task<WebhookReply> HeldBack(WebhookOutcome outcome, CancellationToken cancel) =>
        await State(cancel) switch
        {
            null => new(WebhookSent.NotWanted, "not-wanted", "There is no such endpoint any more.", After: null),
            { IsEnabled: false } state => Disabled(state),
            _ => new(WebhookSent.NotNow, outcome.Reason, outcome.Detail, outcome.RetryAfter),
        };

    private static WebhookReply Disabled(EndpointState state) =>
        new(WebhookSent.Disabled, WebhookForm.DisabledReason, $"The endpoint is disabled: {state.DisabledBecause}", After: null);

    private async Task<EndpointState?> Tried(WebhookOutcome outcome)
    {
        if (outcome.Verdict == WebhookVerdict.Delivered && _kept is { State.FailingSince: null } kept)
        {
            return kept.State;
        }

        try
        {
            // It has happened, whoever waits for it still.
            EndpointState? before = null;
            var state = await Change(
                state => (before = state).Tried(outcome, _clock.GetUtcNow(), _options.FailsFor),
                CancellationToken.None
            );
            Tell(before, state, outcome);
            return state;
        }
        catch (Exception e) when (e is IOException or OrleansException or TimeoutException or InvalidOperationException)
        {
            LogNotKept(Id, outcome.Reason, e); // The next try decides it again.
            return null;
        }
    }

    private void Tell(EndpointState? before, EndpointState? after, WebhookOutcome outcome)
    {
        if (before is null || after is null)
        {
            return;
        }

        if (before.IsEnabled && !after.IsEnabled)
        {
            LogDisabled(Id, after.DisabledBecause!);
        }
        else if (before.FailingSince is null && after.FailingSince is not null)
        {
            LogFails(Id, outcome.Detail);
        }
        else if (before.FailingSince is not null && after.FailingSince is null)
        {
            LogAnswers(Id);
        }
    }

    private async ValueTask<EndpointState?> State(CancellationToken cancel)
    {
        if (_kept is { } kept)
        {
            return kept.State;
        }

        await _turn.WaitAsync(cancel);
        try
        {
            return (await Read(cancel))?.State;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// One at a time: decides on what is stored, and replaces the row; then it counts. Where another activation was faster, or nothing is
    /// known of the commit, the row is read again and it is decided
    /// once more. Null: there is no such endpoint.
    /// </summary>
    private async Task<EndpointState?> Change(Func<EndpointState, EndpointState> decide, CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel);
        try
        {
            for (var tries = 1; ; tries++)
            {
                if (await Read(cancel) is not { } kept)
                {
                    return null;
                }

                var next = decide(kept.State);
                if (!IsDue(kept, next))
                {
                    _kept = kept with { State = next };
                    return next;
                }

                var result = await _store.Commit(
                    EndpointTable.Name,
                    EndpointTable.Partition,
                    [RowChange.Replace(Id, EndpointTable.Write(next), kept.ETag)],
                    cancel
                );
                if (result.Outcome == CommitOutcome.Committed)
                {
                    _kept = new(next, next, result.ETags[0]!, _clock.GetTimestamp());
                    return next;
                }

                _kept = null;
                if (tries == MaxTries)
                {
                    var why =
                        result.Outcome == CommitOutcome.Conflict ? "others change it at the same time" : "nothing is known of the commit";
                    throw new IOException($"Endpoint {Id} could not be stored: {why}; ask again.", result.Cause);
                }
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The number of failures alone is written once in a while.</summary>
    private bool IsDue(Kept kept, EndpointState next) =>
        next != kept.Written
        && (next with { Failures = kept.Written.Failures } != kept.Written || _clock.GetElapsedTime(kept.WrittenAt) >= CountEvery);

    /// <summary>Where nothing is in memory, what is stored. Whoever calls has the turn.</summary>
    private async ValueTask<Kept?> Read(CancellationToken cancel)
    {
        if (_kept is null && await _store.Get(EndpointTable.Name, EndpointTable.Partition, Id, cancel) is { } row)
        {
            var state = EndpointTable.Read(row);
            _kept = new(state, state, row.ETag, _clock.GetTimestamp());
        }

        return _kept;
    }

    private WebhookEndpoint Show(EndpointState state) =>
        new(
            Id,
            state.ShownUrl,
            state.Events,
            state.IsEnabled,
            state.DisabledBecause,
            state.FailingSince,
            state.Failures,
            OldUntil(state),
            _gate.Circuit switch
            {
                EndpointCircuit.Closed => "closed",
                EndpointCircuit.Open => "open",
                _ => "half-open",
            },
            _gate.Rate,
            _gate.InFlight,
            _gate.Window,
            _gate.InLine,
            [.. state.History.Select(note => new WebhookNote(note.At, note.Text))]
        );

    private DateTimeOffset? OldUntil(EndpointState state) => state.Secrets(_clock.GetUtcNow()).Length > 1 ? state.OldSecretUntil : null;

    /// <param name="State">As it is now.</param>
    /// <param name="Written">As the row has it.</param>
    /// <param name="WrittenAt">A timestamp of the clock.</param>
    private sealed record Kept(EndpointState State, EndpointState Written, string ETag, long WrittenAt);
}
