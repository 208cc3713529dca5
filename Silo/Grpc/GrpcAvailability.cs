using Grpc.Core;
using Grpc.Core.Interceptors;
using Silo.Middleware;

namespace Silo.Grpc;

/// <summary>
/// Answers what is not available now with UNAVAILABLE, which clients retry, for every method; see <see cref="Availability"/>.
/// </summary>
internal sealed partial class GrpcAvailability(Availability availability, ILogger<GrpcAvailability> logger) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request,
        ServerCallContext context,
        UnaryServerMethod<TRequest, TResponse> continuation
    )
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception failure) when (Unavailable(failure, context) is { } unavailable)
        {
            throw unavailable;
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation
    )
    {
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (Exception failure) when (Unavailable(failure, context) is { } unavailable)
        {
            throw unavailable;
        }
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation
    )
    {
        try
        {
            return await continuation(requestStream, context);
        }
        catch (Exception failure) when (Unavailable(failure, context) is { } unavailable)
        {
            throw unavailable;
        }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation
    )
    {
        try
        {
            await continuation(requestStream, responseStream, context);
        }
        catch (Exception failure) when (Unavailable(failure, context) is { } unavailable)
        {
            throw unavailable;
        }
    }

    /// <summary>Null for what the service answered itself, for a caller who has gone, and for a defect, which is logged.</summary>
    private RpcException? Unavailable(Exception failure, ServerCallContext context)
    {
        if (failure is RpcException || context.CancellationToken.IsCancellationRequested)
        {
            return null;
        }

        if (availability.Explain(failure) is not { } sentence)
        {
            LogFailed(context.Method, failure);
            return null;
        }

        LogUnavailable(context.Method, failure);
        return new(new(StatusCode.Unavailable, sentence));
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} failed")]
    private partial void LogFailed(string method, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Method} is not available; its caller is to ask again")]
    private partial void LogUnavailable(string method, Exception exception);
}
