using System.Text;
using Grains.Logs.Records;

namespace Grains.Logs.Otlp;

/// <summary>
/// What the records that are being read have in common: the resource and the scope that they came from, laid out as each record will carry
/// them.
/// </summary>
internal sealed class OtlpOrigin(DecodeLimits limits) : IDisposable
{
    private string? _serviceName;

    public ByteHeap Service { get; } = new(64);

    public ByteHeap Host { get; } = new(64);

    /// <summary>Members of a JSON object.</summary>
    public ByteHeap Resource { get; } = new(256);

    public ByteHeap Scope { get; } = new(256);

    /// <summary>The resource has values too deep in each other: none of its records is taken.</summary>
    public bool IsTooDeep { get; set; }

    public bool IsScopeTooDeep { get; set; }

    public bool HasNoMembers => Resource.Length == 0 && Scope.Length == 0;

    private string ServiceName => _serviceName ??= Encoding.UTF8.GetString(Service.Written);

    public void BeginResource()
    {
        Service.Cut(0);
        Host.Cut(0);
        Resource.Cut(0);
        IsTooDeep = false;
        _serviceName = null;
        BeginScope();
    }

    public void EndResource()
    {
        Service.Cut(Service.WithinCharacters(OtlpDecoder.MaxServiceBytes).Length);
        if (Service.Length == 0)
        {
            Service.Append(OtlpDecoder.UnknownService);
        }
    }

    public void BeginScope()
    {
        Scope.Cut(0);
        IsScopeTooDeep = false;
    }

    /// <param name="name">In quotes, with the colon.</param>
    public void AddScope(ReadOnlySpan<byte> name, ReadOnlySpan<byte> text)
    {
        if (!text.IsEmpty)
        {
            AppendMembers(Scope, 0, name);
            JsonText.WriteString(Scope, text);
        }
    }

    /// <summary>Writes a member's name; its value is written next.</summary>
    /// <param name="prefix">Of the name, with the quote before it.</param>
    public static void BeginMember(ByteHeap members, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> key)
    {
        AppendMembers(members, 0, prefix);
        JsonText.WriteContent(members, key);
        members.Append("\":"u8);
    }

    /// <summary>Refuses the record that was counted last when it is too large, or came from something that is not taken.</summary>
    /// <param name="bytes">Of the record alone.</param>
    public bool Refuses(int bytes, LogBlockBuilder into, Decoded decoded)
    {
        if (IsTooDeep || IsScopeTooDeep)
        {
            RefuseTooDeep(decoded);
            return true;
        }

        var size = (long)bytes + Resource.Length + Scope.Length;
        if (limits.Refusal(size, into) is not { } refusal)
        {
            return false;
        }

        decoded.Refuse(decoded.Received, ServiceName, refusal, decoded.KeepsWords ? limits.Sentence(refusal, decoded.Received, size) : "");
        return true;
    }

    public void RefuseTooDeep(Decoded decoded) =>
        decoded.Refuse(
            decoded.Received,
            ServiceName,
            DecodeLimits.TooDeep,
            decoded.KeepsWords ? limits.Sentence(DecodeLimits.TooDeep, decoded.Received, bytes: 0) : ""
        );

    /// <summary>Adds to a record's own members what stands beside them.</summary>
    /// <param name="start">Where the record's members begin in <paramref name="text"/>.</param>
    public void EndMembers(ByteHeap text, int start, uint flags, uint dropped)
    {
        AppendCount(text, start, "\"otel.trace_flags\":"u8, flags);
        AppendCount(text, start, "\"otel.dropped_attributes_count\":"u8, dropped);
        AppendMembers(text, start, Scope.Written);
        AppendMembers(text, start, Resource.Written);
    }

    public void Dispose()
    {
        Service.Dispose();
        Host.Dispose();
        Resource.Dispose();
        Scope.Dispose();
    }

    private static void AppendCount(ByteHeap text, int start, ReadOnlySpan<byte> name, uint count)
    {
        if (count != 0)
        {
            AppendMembers(text, start, name);
            JsonText.WriteNumber(text, (long)count);
        }
    }

    private static void AppendMembers(ByteHeap text, int start, ReadOnlySpan<byte> members)
    {
        if (!members.IsEmpty)
        {
            if (text.Length > start)
            {
                text.Append((byte)',');
            }

            text.Append(members);
        }
    }
}
