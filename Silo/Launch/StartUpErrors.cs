using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using Silo.Cluster;
using Silo.Endpoints;
using Silo.StartUp;
using Silo.Storage;

namespace Silo.Launch;

/// <summary>Turns what stopped the silo into a sentence and an exit code.</summary>
public static class StartUpErrors
{
    /// <param name="failure">As it was thrown.</param>
    /// <param name="endpoints">To name the port that was taken between the check and the opening.</param>
    /// <param name="dataFolder">To name where the data is.</param>
    /// <returns>Null when it is none that a person can be told in a sentence: then the exception itself is what helps.</returns>
    public static StartUpException? Explain(Exception failure, ListeningEndpoints endpoints, string dataFolder)
    {
        var causes = Causes(failure).ToArray();
        if (causes.OfType<StartUpException>().FirstOrDefault() is { } known)
        {
            return known;
        }

        if (causes.OfType<StorageRefusedException>().FirstOrDefault() is { } refused)
        {
            return new(refused.Message, failure);
        }

        if (causes.OfType<OptionsValidationException>().FirstOrDefault() is { } invalid)
        {
            return new(string.Join(Environment.NewLine, invalid.Failures), failure) { ExitCode = ExitCodes.WrongSetting };
        }

        if (
            causes.Any(cause =>
                cause
                    is AddressInUseException
                        or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse or SocketError.AccessDenied }
            )
        )
        {
            return new(
                endpoints.All.Select(endpoint => PortCheck.Problem(endpoints, endpoint)).FirstOrDefault(problem => problem is not null)
                    ?? "A port of the silo was taken by another process for a moment. Start it again.",
                failure
            );
        }

        if (endpoints.IsFront && causes.Any(cause => cause is OrleansException))
        {
            return new(
                $"No silo of the cluster answered within {ConnectRetryFilter.Patience.TotalSeconds:0} s. A front needs one that "
                    + $"shares its store: start it first, or look at Cluster:Id and Storage.",
                failure
            );
        }

        return causes.OfType<SqliteException>().FirstOrDefault() is { } database
            ? new(
                $"The database in the data folder {dataFolder} cannot be used: {database.Message} Restore the folder from a "
                    + $"copy, or give another with --Storage:Path.",
                failure
            )
            : null;
    }

    private static IEnumerable<Exception> Causes(Exception failure) =>
        failure switch
        {
            AggregateException many => many.InnerExceptions.SelectMany(Causes).Prepend(failure),
            { InnerException: { } inner } => Causes(inner).Prepend(failure),
            _ => [failure],
        };
}
