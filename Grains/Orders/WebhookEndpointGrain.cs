using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Deliveries.Mail;
using Grains.Orders.Deliveries.Webhooks;
using Grains.Orders.Rows;
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
/// Over 150 lines, because it has the 12 verbs of its contract, and turns what they come to into the contract's answers.
/// </remarks>
[Reentrant]
[GrainType("webhookendpoint")]
public sealed partial class WebhookEndpointGrain : Grain, IWebhookEndpointGrain, IDisposable
{
    private const int MaxTests = 2;

    private readonly ITableStore _store;
    private readonly IWebhookSender _sender;
    private readonly WebhooksOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<WebhookEndpointGrain> _logger;
    private readonly EndpointGate _gate;
    private readonly RecentTries _recent = new();
    private readonly OperatorMail? _mail;
    private EndpointStore _endpoint = null!;
    private bool _isAnnouncing;
    private bool _hasNews;
    private int _tests;

    public WebhookEndpointGrain(
        ITableStore store,
        IWebhookSender sender,
        IOptions<WebhooksOptions> options,
        TimeProvider clock,
        [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
        ILogger<WebhookEndpointGrain> logger,
        OperatorMail? mail = null
    )
    {
        _store = store;
        _sender = sender;
        _options = options.Value;
        _clock = clock;
        _logger = logger;
        _mail = mail;
        _gate = new(clock, guards, _options.MaxInFlight, _options.PerSecond);
    }

    private string Id => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _endpoint = new(_store, Id, _clock, state => _gate.PerSecond = state.PerSecond ?? _options.PerSecond);
        return Task.CompletedTask;
    }

    public void Dispose() => _endpoint?.Dispose();

    public Task<WebhookReply> Send(OrderChange change, CancellationToken cancel) =>
        Send(change.Type, () => WebhookMessage.Of(change), cancel);

    public Task<WebhookReply> Notify(EndpointEvent happened, CancellationToken cancel) =>
        Send(happened.Type, () => WebhookMessage.About(happened), cancel);

    private async Task<WebhookReply> Send(string type, Func<WebhookMessage> compose, CancellationToken cancel)
    {
        if (await State(cancel) is not { } state || !WebhookEvents.Includes(state.Events, type))
        {
            return EndpointReplies.NotWanted("It is nothing for this endpoint.");
        }

        if (EndpointReplies.Withheld(state) is { } withheld)
        {
            return withheld;
        }

        var message = compose();
        var outcome = await _gate.Send(token => Send(message, token), cancel);
        return outcome.IsNoAttempt
            ? EndpointReplies.NotTried(outcome, outcome.Reason == DeferredReasons.HeldBack ? await State(cancel) : state)
            : EndpointReplies.Tried(outcome, await Tried(outcome));
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
        AnnounceSoon();
        return new(rotated.Secret, EndpointView.OldSecretUntil(rotated, _clock.GetUtcNow()), Error: null);
    }

    public async Task<WebhookEndpoint?> Enable(CancellationToken cancel)
    {
        if (await Change(state => state.Enable(_clock.GetUtcNow()), cancel) is not { } state)
        {
            return null;
        }

        _gate.Restart();
        LogEnabled(Id);
        AnnounceSoon();
        return Show(state);
    }

    public async Task<WebhookEdited> Edit(EditWebhook change, CancellationToken cancel)
    {
        if (WebhookEdit.Fault(change, _options.AllowHttp, _options.Ranges, out var url, out var events) is var (name, fault))
        {
            return await State(cancel) is null ? new(Endpoint: null) : new(Endpoint: null, name, fault);
        }

        var before = await State(cancel);
        var now = _clock.GetUtcNow();
        if (await Change(state => state.Edit(url, events, change.PerSecond, change.Grace, now), cancel) is not { } state)
        {
            return new(Endpoint: null);
        }

        if (state.Url != before?.Url)
        {
            _gate.Restart();
        }

        LogEdited(Id);
        return new(Show(state));
    }

    public async Task<WebhookEndpoint?> Pause(CancellationToken cancel)
    {
        if (await Change(state => state.Pause(_clock.GetUtcNow()), cancel) is not { } state)
        {
            return null;
        }

        LogPaused(Id);
        return Show(state);
    }

    public async Task<WebhookEndpoint?> Resume(CancellationToken cancel)
    {
        var wasPaused = (await State(cancel))?.PausedSince is not null;
        if (await Change(state => state.Resume(_clock.GetUtcNow()), cancel) is not { } state)
        {
            return null;
        }

        if (wasPaused)
        {
            _gate.Restart();
        }

        LogResumed(Id);
        return Show(state);
    }

    /// <summary>
    /// One at a time, and as many events and targets as are due; the list asks again every few seconds. What happens meanwhile is announced
    /// when that is over.
    /// </summary>
    public async Task Announce()
    {
        _hasNews = true;
        if (_isAnnouncing)
        {
            return;
        }

        _isAnnouncing = true;
        try
        {
            while (_hasNews)
            {
                _hasNews = false;
                if (await State(CancellationToken.None) is { Untold.IsEmpty: false } state)
                {
                    await new EndpointAnnouncement(_options.Waits, Change, Tell).Run(state, Targets, _clock.GetUtcNow());
                }
            }
        }
        catch (Exception e) when (e is IOException or OrleansException or TimeoutException or InvalidOperationException)
        {
            LogNotAnnounced(Id, e); // What is untold stays so: the list asks again.
        }
        finally
        {
            _isAnnouncing = false;
        }
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
        if (!await _endpoint.Remove(cancel))
        {
            return false;
        }

        LogRemoved(Id);
        return true;
    }

    /// <summary>What waited in line goes out only if it still may; it is signed with what counts now.</summary>
    private Task<WebhookOutcome> Send(WebhookMessage message, CancellationToken cancel) =>
        _endpoint.Current is { IsEnabled: true, PausedSince: null } state
            ? _sender.Send(new(new(state.Url), message, state.Secrets(_clock.GetUtcNow())), cancel)
            : Task.FromResult(WebhookOutcome.NotSent(WebhookFailure.HeldBack, EndpointGate.NoPlaceWait, "the endpoint is not what it was"));

    private async Task<EndpointState?> Tried(WebhookOutcome outcome)
    {
        _recent.Add(_clock.GetUtcNow(), outcome);
        if (outcome.Verdict == WebhookVerdict.Delivered && _endpoint.Current is { FailingSince: null } current)
        {
            return current;
        }

        try
        {
            // It has happened, whoever waits for it still.
            EndpointState? before = null;
            var state = await Change(
                state => (before = state).Tried(outcome, _clock.GetUtcNow(), _options.FailsFor),
                CancellationToken.None
            );
            Log(before, state, outcome);
            AnnounceSoon();
            return state;
        }
        catch (Exception e) when (e is IOException or OrleansException or TimeoutException or InvalidOperationException)
        {
            LogNotKept(Id, outcome.Reason, e); // The next try decides it again.
            return null;
        }
    }

    /// <summary>Nobody waits for it: what is not told now, the list has told a few seconds later.</summary>
    private void AnnounceSoon()
    {
        if (_endpoint.Current is { Untold.IsEmpty: false })
        {
            this.Observe(Announce(), _logger);
        }
    }

    /// <summary>The other endpoints that ask for this type, and the operator where there is a mail address of one.</summary>
    private async Task<IReadOnlyList<string>> Targets(string type)
    {
        var rows = await _store.Scan(EndpointTable.Name, EndpointTable.Partition, KeyRange.All, StoreLimits.MaxScan);
        var others = rows.Where(row => row.Key != Id && EndpointTable.Read(row).Events.Contains(type)).Select(row => row.Key);
        return [.. others, .. _mail is { IsOn: true } ? new[] { EventTarget.Operator } : []];
    }

    /// <summary>Tries once to tell a target.</summary>
    private async Task<WebhookReply> Tell(string target, UntoldEvent happened)
    {
        var url = (await State(CancellationToken.None))?.ShownUrl ?? "";
        var told = new EndpointEvent(EndpointAnnouncement.IdOf(Id, happened), happened.Type, happened.At, Id, url, happened.Text);
        if (target != EventTarget.Operator)
        {
            return await GrainFactory.GetGrain<IWebhookEndpointGrain>(target).Notify(told);
        }

        return _mail is { IsOn: true } mail
            ? await mail.Notify(told, CancellationToken.None)
            : new(WebhookSent.NotWanted, "no-operator", "Mail:Operator names nobody any more.", After: null);
    }

    private void Log(EndpointState? before, EndpointState? after, WebhookOutcome outcome)
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

    private ValueTask<EndpointState?> State(CancellationToken cancel) => _endpoint.Read(cancel);

    private Task<EndpointState?> Change(Func<EndpointState, EndpointState> decide, CancellationToken cancel) =>
        _endpoint.Change(decide, cancel);

    private WebhookEndpoint Show(EndpointState state) => EndpointView.Of(Id, state, _gate, _recent, _clock.GetUtcNow());
}
