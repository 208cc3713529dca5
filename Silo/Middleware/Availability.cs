using Grains.Interfaces.Cluster;
using Grains.Logs.Rules;
using Orleans.Storage;
using Silo.Keys;
using Silo.Storage;

namespace Silo.Middleware;

/// <summary>
/// Tells "not now" from "never". A failure of the first kind is answered 503 with Retry-After, which senders retry; one of the second kind
/// is a defect
/// and stays 500. While this process starts, stops or is no member of its cluster, every failure is of the first kind.
/// </summary>
public sealed class Availability(IHostApplicationLifetime application, ISiloStatusOracle? members = null)
{
    /// <summary>After which the same request may be sent again.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private const string StoreFailed = "The store did not take it, or did not say that it did. Ask again.";

    private bool IsAway =>
        application.ApplicationStopping.IsCancellationRequested
        || !application.ApplicationStarted.IsCancellationRequested
        || members is { CurrentStatus: not SiloStatus.Active };

    /// <summary>
    /// A sentence for whoever asked, without anything of the failure's inside; null when asking again would fail in the same way.
    /// </summary>
    public string? Explain(Exception failure) =>
        Sentence(failure) ?? (IsAway ? "This process is starting or stopping, or has lost its cluster. Ask again." : null);

    private static string? Sentence(Exception failure) =>
        failure switch
        {
            KeysUnavailableException => "The store does not answer, and so nobody's key can be looked up.",
            TryAgainException => failure.Message,
            RulesUnavailableException => "The rules of the log cannot be read at the moment. Ask again.",
            AggregateException { InnerExceptions: [var only] } => Sentence(only),
            _ when StoreFailures.IsOfStore(failure) => StoreFailed,

            // Defects of this program or of its settings: the next request meets them too.
            OrleansConfigurationException
            or BadProviderConfigException
            or GrainExtensionNotInstalledException
            or GrainReferenceNotBoundException => null,
            OrleansException or TimeoutException or OperationCanceledException =>
                "The cluster did not answer in time; it may be starting, stopping, or short of its store.",
            _ => null,
        };
}
