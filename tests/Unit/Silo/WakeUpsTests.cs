using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Silo.Cluster;
using Xunit;

namespace Unit.Silo;

public sealed class WakeUpsTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly Lines _log = new();
    private WakeUps? _wakeUps;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_wakeUps is not null)
        {
            await _wakeUps.StopAsync(CancellationToken.None);
            _wakeUps.Dispose();
        }
    }

    [Fact]
    public async Task EverySystemIsWokenAtTheStartAndEveryPeriodAfter()
    {
        var (one, other) = (new Sleeper("one"), new Sleeper("other"));
        await Start(one, other);

        for (var round = 1; round <= 3; round++)
        {
            (await one.Called()).Answer();
            (await other.Called()).Answer();
            _clock.Advance(WakeUps.Period);
        }

        Assert.Empty(_log.Said);
    }

    [Fact]
    public async Task ASlowSystemDelaysNoOther()
    {
        var (slow, quick) = (new Sleeper("slow"), new Sleeper("quick"));
        await Start(slow, quick);
        var held = await slow.Called();

        for (var round = 1; round <= 4; round++)
        {
            (await quick.Called()).Answer();
            _clock.Advance(WakeUps.Period);
        }

        Assert.False(slow.IsCalledAgain);
        held.Answer();
        (await slow.Called()).Answer();
    }

    [Fact]
    public async Task AFailureIsLoggedAndTriedAgain()
    {
        var system = new Sleeper("one");
        await Start(system);

        (await system.Called()).Fail();
        _clock.Advance(WakeUps.Period);
        (await system.Called()).Answer();

        Assert.Equal(["System one could not be woken and will be tried again (It failed.)"], _log.Said);
    }

    [Fact]
    public async Task ACallThatHangsIsGivenUpAndTheNextOneComes()
    {
        var system = new Sleeper("one");
        await Start(system);
        var hanging = await system.Called();

        _clock.Advance(WakeUps.Patience);
        Assert.True(hanging.Cancel.IsCancellationRequested);
        _clock.Advance(WakeUps.Period);

        (await system.Called()).Answer();
        Assert.StartsWith("System one could not be woken and will be tried again", Assert.Single(_log.Said), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AStopEndsACallThatIsOnItsWay()
    {
        var system = new Sleeper("one");
        await Start(system);
        var held = await system.Called();

        await _wakeUps!.StopAsync(Cancel);

        Assert.True(held.Cancel.IsCancellationRequested);
        Assert.Empty(_log.Said);
    }

    [Fact]
    public void TwoSystemsOfOneNameAreAMistake()
    {
        var mistake = Assert.Throws<ArgumentException>(() => Make(new Sleeper("one"), new Sleeper("one")));

        Assert.StartsWith(
            "Two wake-ups are named \"one\"; each system has one, under a name of its own.",
            mistake.Message,
            StringComparison.Ordinal
        );
    }

    private async Task Start(params IWakeUp[] systems)
    {
        _wakeUps = Make(systems);
        await _wakeUps.StartAsync(Cancel);
    }

    private WakeUps Make(params IWakeUp[] systems) => new(systems, _clock, _clock, _log);

    /// <summary>A system whose calls the test answers.</summary>
    private sealed class Sleeper(string name) : IWakeUp
    {
        private readonly Channel<Call> _calls = Channel.CreateUnbounded<Call>();

        public string Name => name;

        public bool IsCalledAgain => _calls.Reader.TryPeek(out _);

        public Task Wake(CancellationToken cancel)
        {
            var call = new Call(cancel);
            Assert.True(_calls.Writer.TryWrite(call));
            return call.Answered;
        }

        public async Task<Call> Called() => await _calls.Reader.ReadAsync(WakeUpsTests.Cancel);
    }

    private sealed class Call(CancellationToken cancel)
    {
        private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CancellationToken Cancel => cancel;

        public Task Answered => _answer.Task;

        public void Answer() => _answer.SetResult();

        public void Fail() => _answer.SetException(new InvalidOperationException("It failed."));
    }

    private sealed class Lines : ILogger<WakeUps>
    {
        private readonly List<string> _said = [];

        public IReadOnlyList<string> Said
        {
            get
            {
                lock (_said)
                {
                    return [.. _said];
                }
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            lock (_said)
            {
                _said.Add($"{formatter(state, exception)} ({exception?.Message})");
            }
        }
    }
}
