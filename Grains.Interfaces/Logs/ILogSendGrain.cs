using System.Collections.Immutable;

namespace Grains.Interfaces.Logs;

/// <summary>Takes lines of files into the log, for the console. The key is 0; every silo has some of them.</summary>
[Alias("logs.ILogSendGrain")]
public interface ILogSendGrain : IGrainWithIntegerKey
{
    /// <summary>Answers when the lines are in storage, or that they are not and should be sent again under the same id.</summary>
    [Alias("Send")]
    Task<SendReply> Send(SendLines lines, CancellationToken cancel = default);
}

/// <summary>Whole lines of one file.</summary>
/// <param name="Id">Made from the file and where in it they stand, so that the same lines are known when they come again.</param>
/// <param name="Zone">IANA name of the zone that times without an offset are in.</param>
/// <param name="Bytes">At most <see cref="MaxBytes"/>; the last line may lack its end.</param>
/// <param name="IsMultiline">Text only: lines that go on belong to the record before, and the first line begins a record.</param>
[GenerateSerializer, Immutable, Alias("logs.SendLines")]
public sealed record SendLines(
    [property: Id(0)] LogRequestId Id,
    [property: Id(1)] string Service,
    [property: Id(2)] string Host,
    [property: Id(3)] string FileName,
    [property: Id(4)] LineFormat Format,
    [property: Id(5)] string Zone,
    [property: Id(6)] ReadOnlyMemory<byte> Bytes,
    [property: Id(7)] bool IsMultiline = false
)
{
    public const int MaxBytes = 2 * 1024 * 1024;
}

[GenerateSerializer, Alias("logs.LineFormat")]
public enum LineFormat
{
    /// <summary>A line is a record's body; what it says of time and severity in a usual form is the record's.</summary>
    Text,

    /// <summary>A line is a JSON object, as <c>POST /api/logs</c> takes it.</summary>
    Ndjson,
}

[GenerateSerializer, Alias("logs.SendOutcome")]
public enum SendOutcome
{
    /// <summary>What was taken is in storage.</summary>
    Stored,

    /// <summary>No room: come again in a second.</summary>
    Full,

    /// <summary>Storage does not answer: come again in a second.</summary>
    Unavailable,
}

/// <param name="Refused">Lines that are no records.</param>
/// <param name="Faults">Why, the first of them; lines are counted from 1 within what was sent.</param>
[GenerateSerializer, Immutable, Alias("logs.SendReply")]
public sealed record SendReply(
    [property: Id(0)] SendOutcome Outcome,
    [property: Id(1)] int Accepted,
    [property: Id(2)] int Refused,
    [property: Id(3)] ImmutableArray<LineFault> Faults
);

[GenerateSerializer, Immutable, Alias("logs.LineFault")]
public sealed record LineFault([property: Id(0)] int Line, [property: Id(1)] string Sentence);
