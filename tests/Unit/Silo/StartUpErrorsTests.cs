using Doubles;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using Silo.Endpoints;
using Silo.Grpc;
using Silo.Http;
using Silo.Launch;
using Silo.StartUp;
using Silo.Storage;
using Xunit;

namespace Unit.Silo;

public sealed class StartUpErrorsTests
{
    [Fact]
    public void ASentenceIsFoundHoweverDeepItLies()
    {
        var sentence = new StartUpException("It is so.") { ExitCode = ExitCodes.WrongSetting };

        Assert.Same(sentence, Explain(new AggregateException(new IOException("x"), new InvalidOperationException("y", sentence))));
    }

    [Fact]
    public void WhatTheStoreRefusesIsSaidInItsOwnWords() =>
        Assert.Equal(
            "\"x.db\" is damaged.",
            Explain(new InvalidOperationException("y", new StorageRefusedException("\"x.db\" is damaged.")))!.Message
        );

    [Fact]
    public void AWrongOptionHasTheExitCodeOfAWrongSetting()
    {
        var explained = Explain(new OptionsValidationException("", typeof(HttpOptions), ["One.", "Two."]))!;

        Assert.Equal(($"One.{Environment.NewLine}Two.", ExitCodes.WrongSetting), (explained.Message, explained.ExitCode));
    }

    [Fact]
    public void ADatabaseThatFailsIsNamedByItsFolder() =>
        Assert.StartsWith(
            "The database in the data folder /data cannot be used: disk I/O error",
            Explain(new SqliteException("disk I/O error.", 10))!.Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void WhatNobodyKnowsIsNotDressedUp() => Assert.Null(Explain(new InvalidOperationException("?")));

    private static StartUpException? Explain(Exception failure) =>
        StartUpErrors.Explain(
            failure,
            TestEndpoints.Of(
                new ClusterOptions(),
                new HttpOptions(),
                new GrpcOptions(),
                new ListenOptions(),
                new InstanceOptions { Number = 0 }
            ),
            "/data"
        );
}
