using Grains.Interfaces.Cluster;
using Grains.Logs.Rules;
using Grains.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Silo.Keys;
using Silo.Middleware;
using Silo.Storage;
using Xunit;

namespace Unit.Silo;

public sealed class AvailabilityTests
{
    private readonly ApplicationLifetime _application = new(NullLogger<ApplicationLifetime>.Instance);

    /// <summary>What means that the same request may succeed a moment later.</summary>
    public static TheoryData<Exception> NotNow =>
        [
            new SiloUnavailableException("The silo is gone."),
            new GatewayTooBusyException("The gateway is full."),
            new OrleansException("Forwarding failed."),
            new TimeoutException("Response did not arrive on time in 00:00:30."),
            new OperationCanceledException("The silo gave up."),
            new TryAgainException(),
            new KeysUnavailableException(new IOException()),
            new RulesUnavailableException(new IOException()),
            new OutcomeUnknownException("It may be stored."),
            new PartitionLostException("orders", "0", new IOException()),
            new SqliteException("SQLite Error 5: 'database is locked'.", 5),
            new Azure.RequestFailedException(503, "busy"),
            new IOException("No space left on device: '/secret/place'"),
            new AggregateException(new TimeoutException()),
        ];

    /// <summary>What fails in the same way when it is asked again.</summary>
    public static TheoryData<Exception> Never =>
        [
            new InvalidOperationException("A defect."),
            new FormatException(),
            new OrleansConfigurationException("A setting is wrong."),
            new Azure.RequestFailedException(403, "denied"),
            new BadHttpRequestException("It is wrong.", 400),
        ];

    [Theory]
    [MemberData(nameof(NotNow))]
    public void WhatMayBeOverInAMomentIsToBeAskedAgain(Exception failure)
    {
        _application.NotifyStarted();

        var sentence = new Availability(_application).Explain(failure);

        Assert.NotNull(sentence);
        Assert.DoesNotContain("secret", sentence, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Never))]
    public void ADefectIsNoReasonToAskAgain(Exception failure)
    {
        _application.NotifyStarted();
        Assert.Null(new Availability(_application).Explain(failure));
    }

    [Theory]
    [MemberData(nameof(Never))]
    public void WhateverFailsWhileTheProcessStopsIsToBeAskedAgain(Exception failure)
    {
        _application.NotifyStarted();
        _application.StopApplication();
        Assert.Equal(
            "This process is starting or stopping, or has lost its cluster. Ask again.",
            new Availability(_application).Explain(failure)
        );
    }

    [Fact]
    public void WhateverFailsWhileTheProcessStartsIsToBeAskedAgain() =>
        Assert.NotNull(new Availability(_application).Explain(new ObjectDisposedException("something")));
}
