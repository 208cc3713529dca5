using System.Collections.Concurrent;
using Grains.Orders.Deliveries.Mail;

namespace Doubles.Orders;

/// <summary>
/// A way out that keeps what was tried, and answers what it was told to: in that order for an address, and after that that it was taken.
/// </summary>
public sealed class RecordingMailSender : IMailSender
{
    private readonly ConcurrentQueue<(OutgoingMail Mail, MailOutcome Outcome)> _tries = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<MailOutcome>> _answers = new(StringComparer.Ordinal);

    public IReadOnlyList<(OutgoingMail Mail, MailOutcome Outcome)> Tries => [.. _tries];

    /// <summary>A try waits for it.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public IReadOnlyList<(OutgoingMail Mail, MailOutcome Outcome)> TriesTo(string address) =>
        [.. _tries.Where(tried => tried.Mail.To == address)];

    public void Answer(string address, params MailOutcome[] outcomes)
    {
        foreach (var outcome in outcomes)
        {
            _answers.GetOrAdd(address, _ => new()).Enqueue(outcome);
        }
    }

    public async Task<MailOutcome> Send(OutgoingMail mail, CancellationToken cancel)
    {
        await Gate.WaitAsync(cancel);
        var outcome =
            _answers.TryGetValue(mail.To, out var answers) && answers.TryDequeue(out var told)
                ? told
                : MailOutcome.Delivered("Taken by the server.", 250);
        _tries.Enqueue((mail, outcome));
        return outcome;
    }
}
