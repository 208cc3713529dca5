using System.Globalization;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>
/// Tells others what happened to an endpoint: who is decided once, and each is tried on the schedule until it was told or is given up.
/// </summary>
/// <param name="waits">Between tries of one target.</param>
/// <param name="change">Changes the endpoint's state, durable when it answers.</param>
/// <param name="tell">Tries once to tell a target.</param>
internal sealed class EndpointAnnouncement(
    IReadOnlyList<TimeSpan> waits,
    Func<Func<EndpointState, EndpointState>, CancellationToken, Task<EndpointState?>> change,
    Func<string, UntoldEvent, Task<WebhookReply>> tell
)
{
    /// <summary>Nothing was tried, and it is not said for how long: after this.</summary>
    private static readonly TimeSpan UsualWait = TimeSpan.FromSeconds(5);

    /// <summary>The same on every try: a receiver knows a repeat by it.</summary>
    public static string IdOf(string endpoint, UntoldEvent happened) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"msg_endpoint_{endpoint}_{happened.At.UtcTicks:x}_{happened.Type[(happened.Type.LastIndexOf('.') + 1)..]}"
        );

    /// <summary>As far as it is due.</summary>
    /// <param name="targets">Who is to be told of a type.</param>
    public async Task Run(EndpointState? state, Func<string, Task<IReadOnlyList<string>>> targets, DateTimeOffset now)
    {
        foreach (var happened in state?.Untold ?? [])
        {
            if (!happened.HasTargets)
            {
                var names = await targets(happened.Type);
                state = await change(current => current.For(happened, names, now), CancellationToken.None);
            }
        }

        var due = (state?.Untold ?? []).SelectMany(happened =>
            happened.Targets.Where(target => target.Due <= now).Select(target => Tell(happened, target, now))
        );
        await Task.WhenAll(due.ToList());
    }

    private async Task Tell(UntoldEvent happened, EventTarget target, DateTimeOffset now)
    {
        WebhookReply reply;
        try
        {
            reply = await tell(target.Name, happened);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // It could not be reached, and whether it was told is not known: a repeat has the same id.
            reply = new(WebhookSent.Failed, e.GetType().Name, e.Message, After: null);
        }

        await change(
            state =>
                reply.Sent switch
                {
                    WebhookSent.Delivered or WebhookSent.NotWanted => state.Told(happened, target.Name),
                    WebhookSent.Disabled => state.NotTold(happened, target.Name, wait: null, reply.Reason, now),
                    WebhookSent.NotNow => state.Later(happened, target.Name, reply.After ?? UsualWait, now),
                    _ when target.Attempts < waits.Count => state.NotTold(
                        happened,
                        target.Name,
                        reply.After > waits[target.Attempts] ? reply.After : waits[target.Attempts],
                        reply.Reason,
                        now
                    ),
                    _ => state.NotTold(happened, target.Name, wait: null, reply.Reason, now),
                },
            CancellationToken.None
        );
    }
}
