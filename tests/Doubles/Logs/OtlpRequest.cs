using System.Collections.Immutable;

namespace Doubles.Logs;

/// <summary>
/// An OTLP log request as a test writes it down; <see cref="OtlpProto"/> and <see cref="OtlpJson"/> put it into bytes, each knowing nothing
/// of the product's decoders.
/// </summary>
public sealed record OtlpRequest(params ImmutableArray<OtlpResourceLogs> ResourceLogs)
{
    /// <summary>One resource with this service name, one scope without a name, and these records.</summary>
    public static OtlpRequest Of(string service, params ImmutableArray<OtlpRecord> records) =>
        new(new OtlpResourceLogs(new OtlpResource([new("service.name", new OtlpString(service))]), [new OtlpScopeLogs(null, records)]));

    public int Records => ResourceLogs.Sum(resource => resource.ScopeLogs.Sum(scope => scope.Records.Length));
}

public sealed record OtlpResourceLogs(OtlpResource? Resource, ImmutableArray<OtlpScopeLogs> ScopeLogs, string SchemaUrl = "");

public sealed record OtlpResource(ImmutableArray<OtlpPair> Attributes, uint Dropped = 0);

public sealed record OtlpScopeLogs(OtlpScope? Scope, ImmutableArray<OtlpRecord> Records, string SchemaUrl = "");

public sealed record OtlpScope(string Name, string Version = "", ImmutableArray<OtlpPair> Attributes = default);

public sealed record OtlpRecord
{
    public ulong Time { get; init; }
    public ulong Observed { get; init; }
    public int Severity { get; init; }
    public string SeverityText { get; init; } = "";
    public OtlpValue? Body { get; init; }
    public ImmutableArray<OtlpPair> Attributes { get; init; } = [];
    public uint Dropped { get; init; }
    public uint Flags { get; init; }
    public ImmutableArray<byte> TraceId { get; init; } = [];
    public ImmutableArray<byte> SpanId { get; init; } = [];
    public string EventName { get; init; } = "";
}

public sealed record OtlpPair(string Key, OtlpValue? Value);

public abstract record OtlpValue;

public sealed record OtlpString(string Value) : OtlpValue;

public sealed record OtlpBool(bool Value) : OtlpValue;

public sealed record OtlpInt(long Value) : OtlpValue;

public sealed record OtlpDouble(double Value) : OtlpValue;

public sealed record OtlpArray(params ImmutableArray<OtlpValue> Values) : OtlpValue;

public sealed record OtlpMap(params ImmutableArray<OtlpPair> Pairs) : OtlpValue;

public sealed record OtlpBytes(params ImmutableArray<byte> Value) : OtlpValue;

/// <summary>An AnyValue with nothing in it.</summary>
public sealed record OtlpNothing : OtlpValue;
