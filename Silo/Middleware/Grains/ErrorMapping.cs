using Grains.Interfaces.Cluster;
using Orleans.Serialization;
using Silo.Storage;

namespace Silo.Middleware.Grains;

/// <summary>
/// What the store threw does not leave the cluster: a caller outside may not know its type, and can do nothing with it but ask again. It is
/// logged here
/// and goes out as a <see cref="TryAgainException"/>. Between grains everything goes through as it is.
/// </summary>
internal sealed partial class ErrorMapping(ILogger<ErrorMapping> logger) : IIncomingGrainCallFilter
{
    /// <summary>
    /// Lets the exceptions of this program go from silo to silo as what they are. Without it Orleans sends in their place that it has no
    /// codec for them, and nobody can tell a failure of the store from anything else.
    /// </summary>
    public static void Carry(ExceptionSerializationOptions options)
    {
        options.SupportedNamespacePrefixes.Add("Grains");
        options.SupportedNamespacePrefixes.Add("Silo");
    }

    public Task Invoke(IIncomingGrainCallContext context)
    {
        var call = context.Invoke();
        return call.IsCompletedSuccessfully || !(context.SourceId?.IsClient() ?? true) ? call : Mapped(call, context);
    }

    private async Task Mapped(Task call, IIncomingGrainCallContext context)
    {
        try
        {
            await call;
        }
        catch (Exception failure) when (StoreFailures.IsOfStore(failure))
        {
            LogMapped(context.InterfaceName, context.MethodName, failure);
            throw new TryAgainException("The store did not take it, or did not say that it did. Ask again.");
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Interface}.{Method} failed at the store; its caller is to ask again")]
    private partial void LogMapped(string @interface, string method, Exception exception);
}
