using System.Globalization;
using Grains.Orders.Rows;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>
/// The way to the mail server, which all mails of this silo take: so many a second, and none while the server is down. What is held back
/// here was not tried. Thread-safe.
/// </summary>
/// <remarks>Clocks that are set forth or back change nothing (<see cref="MonotonicTimeProvider"/>).</remarks>
public sealed class MailGate
{
    private static readonly MailOutcome HeldBack = MailOutcome.Lost(afterDot: false, DeferredReasons.CircuitOpen, "Not sent.") with
    {
        IsOfServer = false,
    };

    private readonly IMailSender _sender;
    private readonly MonotonicTimeProvider _clock;
    private readonly SendRate? _pace;
    private readonly Circuit<MailOutcome> _circuit;
    private readonly Lock _lock = new();

    /// <param name="perSecond">Mails a second; null where nobody needs to be spared, as with a folder.</param>
    public MailGate(IMailSender sender, double? perSecond, TimeProvider clock)
    {
        _sender = sender;
        _clock = new(clock);
        _pace = perSecond is { } rate ? new(rate, _clock.GetUtcNow()) : null;
        _circuit = new("mail-server", static outcome => outcome.IsOfServer, _clock, Restart);
    }

    /// <summary>Tries once, or says after what time to come again.</summary>
    /// <param name="compose">Called only for a mail that goes out.</param>
    public async Task<(MailOutcome Outcome, TimeSpan? After)> Send(Func<OutgoingMail> compose, CancellationToken cancel)
    {
        if (Pace() is var wait && wait > TimeSpan.Zero)
        {
            return (
                new(
                    MailVerdict.Retry,
                    DeferredReasons.RateLimit,
                    "Not sent: as many mails go to the mail server as may.",
                    Code: null,
                    Suppress: false
                ),
                wait
            );
        }

        TimeSpan? after = null;
        var outcome = await _circuit
            .Send(
                cancel => _sender.Send(compose(), cancel),
                closed =>
                {
                    after = closed;
                    return HeldBack with
                    {
                        Detail = string.Create(
                            CultureInfo.InvariantCulture,
                            $"Not sent: the mail server failed too often just now, and is tried again in {closed.TotalSeconds:0.###} s."
                        ),
                    };
                },
                cancel
            )
            .ConfigureAwait(false);
        return (outcome, after);
    }

    private TimeSpan Pace()
    {
        lock (_lock)
        {
            return _pace?.Wait(_clock.GetUtcNow()) ?? TimeSpan.Zero;
        }
    }

    private void Restart()
    {
        lock (_lock)
        {
            _pace?.Restart(_clock.GetUtcNow());
        }
    }
}
