using System.Security.Authentication;
using System.Text.Json;
using System.Xml;
using Azure;
using Azure.Identity;

namespace Silo.Storage;

/// <summary>What a failed call to Azure Storage says of itself.</summary>
internal enum AzureFailure
{
    /// <summary>The request did not reach the service, or was turned away before anything was done: it may be sent again.</summary>
    NotTaken,

    /// <summary>A time-out, a lost connection, an error of the server: it was done or was not.</summary>
    Uncertain,

    /// <summary>The service did nothing and will not: a condition that did not hold, a missing right, a mistake of ours.</summary>
    Refused,
}

/// <summary>
/// Reads failures of the Azure SDK. Codes: "Table Storage error codes" and "Status and error codes" of the Azure Storage REST reference.
/// </summary>
internal static class AzureFailures
{
    public static AzureFailure Kind(Exception failure) =>
        failure switch
        {
            RequestFailedException { Status: 429 } => AzureFailure.NotTaken,
            RequestFailedException { Status: 503, ErrorCode: "ServerBusy" } => AzureFailure.NotTaken,
            RequestFailedException { Status: 0 or 408 or >= 500 } answer => NeverSent(answer)
                ? AzureFailure.NotTaken
                : AzureFailure.Uncertain,
            RequestFailedException => AzureFailure.Refused,

            // There is no identity, or the one that there is could not prove itself just now.
            CredentialUnavailableException => AzureFailure.Refused,
            AuthenticationFailedException => AzureFailure.NotTaken,
            TimeoutException or IOException or HttpRequestException => NeverSent(failure) ? AzureFailure.NotTaken : AzureFailure.Uncertain,
            // The SDK could not read the answer: something between here and the service gave it.
            JsonException or XmlException or FormatException or KeyNotFoundException => AzureFailure.Uncertain,
            _ => AzureFailure.Refused,
        };

    /// <summary>How long the service asks to be left alone; zero when it does not say.</summary>
    public static TimeSpan AskedPause(Exception failure) =>
        failure is RequestFailedException answer
        && answer.GetRawResponse() is { } response
        && response.Headers.TryGetValue("Retry-After", out var text)
        && uint.TryParse(text, out var seconds)
            ? TimeSpan.FromSeconds(Math.Min(seconds, 3600))
            : TimeSpan.Zero;

    /// <summary>In one line, without the headers that the SDK adds to its messages.</summary>
    public static string Sentence(Exception failure) =>
        failure is RequestFailedException { Status: > 0 } answer
            ? $"{answer.Status} {answer.ErrorCode ?? answer.GetRawResponse()?.ReasonPhrase}".TrimEnd()
            : (failure.InnerException ?? failure).Message.Split('\n')[0].Trim().TrimEnd('.');

    private static bool NeverSent(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            if (
                failure
                is HttpRequestException
                    {
                        HttpRequestError: HttpRequestError.NameResolutionError
                            or HttpRequestError.ConnectionError
                            or HttpRequestError.SecureConnectionError
                            or HttpRequestError.ProxyTunnelError
                    }
                    or AuthenticationException
            )
            {
                return true;
            }
        }

        return false;
    }
}
