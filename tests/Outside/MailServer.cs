using System.Collections.Immutable;
using Doubles.Orders;

namespace Outside;

/// <summary>What the mail server does, and what it took.</summary>
internal sealed class MailServer(Ledger ledger, TimeProvider clock)
{
    /// <summary>Under it mails are counted.</summary>
    public const string Place = "smtp";

    private ImmutableArray<Told> _told = [];

    /// <summary>From now on: the first that is meant and has times left; as it should when none is.</summary>
    public void Behave(IEnumerable<SmtpAnswer> answers) => _told = [.. answers.Select(answer => new Told(answer))];

    public SmtpFault? At(string point, string recipient)
    {
        foreach (var told in _told)
        {
            if (
                told.Answer.At.Equals(point, StringComparison.OrdinalIgnoreCase)
                && recipient.StartsWith(told.Answer.Recipient, StringComparison.OrdinalIgnoreCase)
                && told.Takes()
            )
            {
                return new SmtpFault(point, told.Answer.Reply, told.Answer.Cuts) { Pause = TimeSpan.FromMilliseconds(told.Answer.SlowMs) };
            }
        }

        return null;
    }

    public void Take(ReceivedMail mail)
    {
        var now = clock.GetUtcNow();
        var id = mail.Header("Message-Id").Trim('<', '>');
        ledger.Count(Place, id);
        ledger.Write(new(OutsideEffect.Mail, now.UtcTicks, id, "-", mail.To, "-", mail.IsAcknowledged ? "250" : "unknown", ChangeTicks: 0));
    }

    private sealed class Told(SmtpAnswer answer)
    {
        private int _left = answer.Times ?? int.MaxValue;
        private int _came;

        public SmtpAnswer Answer => answer;

        public bool Takes() =>
            Interlocked.Increment(ref _came) % answer.OneIn == 0 && (answer.Times is null || Interlocked.Decrement(ref _left) >= 0);
    }
}
