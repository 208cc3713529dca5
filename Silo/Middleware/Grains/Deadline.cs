using Grains;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Silo.Middleware.Grains;

/// <summary>
/// A call from outside (a request, a console's is without) says until when its caller waits: what comes to its turn later is not begun, for
/// nobody would
/// hear of it. Between grains Orleans drops what is too old; a deadline that went along there would strike work that goes on after the
/// call.
/// </summary>
public static class Deadline
{
    /// <summary>So far may clocks of two machines be apart.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    internal const string Key = "deadline";

    /// <summary>Tells the deadline.</summary>
    internal sealed class Outgoing([FromKeyedServices(Clocks.Guards)] TimeProvider guards, IOptions<MessagingOptions> messaging)
        : IOutgoingGrainCallFilter
    {
        public Task Invoke(IOutgoingGrainCallContext context) =>
            context.SourceId is { } source && !source.IsClient() ? context.Invoke() : Tell(context);

        /// <summary>What is set in here is forgotten when it returns: the next call has its own.</summary>
        private async Task Tell(IOutgoingGrainCallContext context)
        {
            RequestContext.Set(Key, (guards.GetUtcNow() + messaging.Value.ResponseTimeout).UtcTicks);
            await context.Invoke();
        }
    }

    /// <summary>Holds to it.</summary>
    internal sealed class Incoming([FromKeyedServices(Clocks.Guards)] TimeProvider guards) : IIncomingGrainCallFilter
    {
        public Task Invoke(IIncomingGrainCallContext context)
        {
            if (RequestContext.Get(Key) is not long deadline)
            {
                return context.Invoke();
            }

            RequestContext.Remove(Key);
            return guards.GetUtcNow().UtcTicks - Grace.Ticks > deadline
                ? Task.FromException(
                    new TimeoutException($"{context.InterfaceName}.{context.MethodName} came to its turn after its caller had given up.")
                )
                : context.Invoke();
        }
    }
}
