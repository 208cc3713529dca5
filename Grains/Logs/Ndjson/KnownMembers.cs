using System.Buffers;
using System.Collections.Frozen;
using System.Text;

namespace Grains.Logs.Ndjson;

/// <summary>What a member of a JSON record means.</summary>
public enum KnownMember
{
    None,
    Time,
    Observed,
    Severity,
    SeverityText,
    Body,

    /// <summary>Docker's line when it is a text, ECS's object with the level when it is one.</summary>
    Log,
    Service,
    Host,
    EventName,
    TraceId,
    SpanId,
    Attributes,

    /// <summary>How many there are.</summary>
    Count,
}

/// <summary>
/// The names that loggers give to the members of a JSON record, in upper or lower case. <c>tests/Data/logs/lines.tsv</c> lists the shapes
/// by example.
/// </summary>
public static class KnownMembers
{
    /// <summary>The rank of a severity whose numbers are syslog's, 0 to 7.</summary>
    public const int SyslogNumber = 7;

    /// <summary>The rank of a severity whose numbers may be bunyan's and pino's: 10 trace to 60 fatal.</summary>
    public const int PinoNumber = 10;

    /// <summary>The rank of CLEF's time.</summary>
    public const int Clef = 2;

    private const int Longest = 24;

    private static readonly FrozenDictionary<string, (KnownMember Kind, int Rank)> Names = Build();

    private static readonly FrozenDictionary<string, (KnownMember Kind, int Rank)>.AlternateLookup<ReadOnlySpan<char>> ByText =
        Names.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The meaning, and how well the name fits it: of several members the higher rank has it, of equal ranks the first.</summary>
    public static (KnownMember Kind, int Rank) Of(ReadOnlySpan<byte> name)
    {
        Span<char> text = stackalloc char[Longest];
        return
            name.Length is > 1 and <= Longest
            && Ascii.ToUtf16(name, text, out var length) == OperationStatus.Done
            && ByText.TryGetValue(text[..length], out var known)
            ? known
            : (KnownMember.None, 0);
    }

    /// <summary>What an attribute is called: CLEF's exception has a name of its own.</summary>
    public static ReadOnlySpan<byte> AttributeName(ReadOnlySpan<byte> name) => name.SequenceEqual("@x"u8) ? "exception.stacktrace"u8 : name;

    private static FrozenDictionary<string, (KnownMember Kind, int Rank)> Build()
    {
        var names = new Dictionary<string, (KnownMember, int)>(StringComparer.OrdinalIgnoreCase);
        Add(
            KnownMember.Time,
            1,
            "time",
            "timestamp",
            "ts",
            "@timestamp",
            "datetime",
            "asctime",
            "timeMillis",
            "eventTime",
            "__REALTIME_TIMESTAMP"
        );
        Add(KnownMember.Time, Clef, "@t");
        Add(KnownMember.Observed, 1, "observed", "observedTimestamp");
        Add(KnownMember.Severity, PinoNumber, "level");
        Add(KnownMember.Severity, 1, "severity", "logLevel", "log.level", "log_level", "lvl", "levelname", "@l");
        Add(KnownMember.Severity, SyslogNumber, "PRIORITY");
        Add(KnownMember.SeverityText, 1, "severityText", "severity_text");
        Add(KnownMember.Body, 3, "body", "message", "msg", "@m");
        Add(KnownMember.Body, 2, "short_message");
        Add(KnownMember.Body, 1, "@mt");
        Add(KnownMember.Log, 2, "log");
        Add(KnownMember.Service, 1, "service", "service.name", "service_name", "serviceName", "SYSLOG_IDENTIFIER");
        Add(KnownMember.Host, 1, "host", "hostname", "host.name", "host_name", "machineName", "_HOSTNAME");
        Add(KnownMember.EventName, 1, "eventName", "event_name", "event.name");
        Add(KnownMember.TraceId, 1, "traceId", "trace_id", "trace.id", "@tr");
        Add(KnownMember.SpanId, 1, "spanId", "span_id", "span.id", "@sp");
        Add(KnownMember.Attributes, 1, "attributes");
        return names.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

        void Add(KnownMember kind, int rank, params ReadOnlySpan<string> texts)
        {
            foreach (var text in texts)
            {
                names.Add(text, (kind, rank));
            }
        }
    }
}
