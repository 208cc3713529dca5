namespace Doubles.Orders;

/// <summary>What the outside world says when it is ready: one line of JSON.</summary>
/// <param name="Smtp">Port of the mail server.</param>
/// <param name="Webhooks">Port of the endpoints; every path is one.</param>
/// <param name="Control">Port on which it is told what to do.</param>
/// <param name="Ledger">The file with a line for each effect.</param>
public sealed record OutsideReady(int Smtp, int Webhooks, int Control, string Ledger);

/// <summary>What an endpoint does with a call that came whole.</summary>
public enum EndpointManner
{
    Answers,

    /// <summary>No byte comes back until the caller has gone.</summary>
    Hangs,

    /// <summary>The connection is reset, without an answer.</summary>
    Cuts,

    /// <summary>The status, and a body without end.</summary>
    Endless,

    /// <summary>The status, and a body of which nothing comes.</summary>
    Stalls,
}

/// <summary>How an endpoint answers.</summary>
public sealed record EndpointAnswer
{
    public EndpointManner Manner { get; init; }

    public int Status { get; init; } = 204;

    public string? RetryAfter { get; init; }

    public string? Location { get; init; }

    /// <summary>Milliseconds before anything comes back.</summary>
    public int SlowMs { get; init; }

    /// <summary>So many calls; null: until it is told otherwise.</summary>
    public int? Times { get; init; }

    /// <summary>Only the first call with each id; repeats are taken.</summary>
    public bool FirstOnly { get; init; }

    /// <summary>Of so many calls that it is meant for, one: 1 is each.</summary>
    public int OneIn { get; init; } = 1;
}

/// <summary>What the mail server does at a point of a session, as <see cref="SmtpFault"/>.</summary>
public sealed record SmtpAnswer
{
    public required string At { get; init; }

    public string? Reply { get; init; }

    public bool Cuts { get; init; }

    public int SlowMs { get; init; }

    /// <summary>So often; null: until it is told otherwise.</summary>
    public int? Times { get; init; }

    /// <summary>Only where the recipient begins with this.</summary>
    public string Recipient { get; init; } = "";

    /// <summary>Of so many that come to this point, one: 1 is each.</summary>
    public int OneIn { get; init; } = 1;
}

/// <summary>What an endpoint, or the mail server, was given so far.</summary>
/// <param name="Calls">Calls that came whole; mails whose final dot came and was not refused.</param>
/// <param name="Ids">Different ids among them.</param>
/// <param name="Wrong">Calls whose signature did not verify.</param>
public sealed record OutsideCount(long Calls, long Ids, long Wrong);

/// <summary>A line of the ledger.</summary>
/// <param name="Channel"><c>webhook</c> or <c>mail</c>.</param>
/// <param name="Ticks">UTC, when it had come whole.</param>
/// <param name="Id"><c>webhook-id</c>, or the Message-ID without its brackets.</param>
/// <param name="Type">Of the payload; "-" for a mail.</param>
/// <param name="To">The endpoint's path, or the recipient.</param>
/// <param name="Signature">Of a webhook whose secret is known: <c>Good</c> or what was wrong; else "-".</param>
/// <param name="Answer">The status, or the manner; <c>250</c> or <c>unknown</c> for a mail.</param>
/// <param name="ChangeTicks">UTC, of the payload's timestamp; 0 for a mail.</param>
public sealed record OutsideEffect(
    string Channel,
    long Ticks,
    string Id,
    string Type,
    string To,
    string Signature,
    string Answer,
    long ChangeTicks
)
{
    public const string Webhook = "webhook";

    public const string Mail = "mail";

    /// <summary>The other side took it: whoever sent it is through with it, if the answer arrives.</summary>
    public bool IsTaken => Answer is ['2', _, _];

    public static OutsideEffect Parse(string line) =>
        line.Split(' ') is [var channel, var ticks, var id, var type, var to, var signature, var answer, var change]
            ? new(channel, long.Parse(ticks, null), id, type, to, signature, answer, long.Parse(change, null))
            : throw new FormatException($"\"{line}\" is no line of a ledger: it has eight words.");

    public override string ToString() =>
        FormattableString.Invariant($"{Channel} {Ticks} {Word(Id)} {Word(Type)} {Word(To)} {Signature} {Answer} {ChangeTicks}");

    private static string Word(string text) =>
        text.Length == 0 ? "-" : string.Concat(text.Select(character => character is > ' ' and <= '~' ? character : '_'));
}
