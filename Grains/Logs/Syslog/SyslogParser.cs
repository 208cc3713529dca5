using System.Buffers;
using Grains.Logs.Otlp;
using Grains.Logs.Records;
using Grains.Logs.Text;

namespace Grains.Logs.Syslog;

/// <summary>
/// Reads one syslog message into a record: RFC 5424, or what RFC 3164 describes. HOST is the record's host, APP (or the tag) its service;
/// PROCID, MSGID, the facility and
/// the structured data are attributes (<c>id.name</c>). What is of neither form is a record all the same: its body is the message as it
/// came,
/// and time and severity are what that says (<see cref="LineReader"/>). A message that names no host is of the
/// address that it came from.
/// </summary>
/// <remarks>Not thread-safe.</remarks>
public sealed class SyslogParser : IDisposable
{
    private const int MaxPriority = 191;
    private const int MaxTag = 48;

    /// <summary>
    /// Severity numbers of OpenTelemetry for emergency, alert, critical, error, warning, notice, informational, debug (its data model,
    /// appendix B).
    /// </summary>
    private static readonly byte[] Severities = [21, 19, 18, 17, 13, 10, 9, 5];

    private static readonly string[] SeverityNames = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

    private static readonly SearchValues<byte> EndsTag = SearchValues.Create("[: "u8);

    private readonly ByteHeap _attributes = new(512);
    private readonly ByteHeap _value = new(256);
    private readonly ByteHeap _sender = new(64);
    private bool _isCut;
    private LineReader? _lines;
    private TimeSpan _offset;

    /// <summary>The attribute of a record whose message was cut: <c>true</c>.</summary>
    public static ReadOnlySpan<byte> Truncated => "log.truncated"u8;

    /// <summary>OpenTelemetry's number of a severity of syslog.</summary>
    /// <param name="severity">0 (emergency) to 7 (debug).</param>
    public static byte SeverityOf(int severity) => Severities[severity];

    /// <param name="message">Without its frame.</param>
    /// <param name="now">In the zone that times without one are in: RFC 3164 gives neither zone nor year, and the year is the last one in
    /// which the time is not to come.</param>
    /// <param name="sender">The address that it came from.</param>
    /// <param name="isCut">It is the beginning of a longer message: the record says so (<see cref="Truncated"/>).</param>
    public void Parse(
        ReadOnlySpan<byte> message,
        DateTimeOffset now,
        LogBlockBuilder into,
        ReadOnlySpan<byte> sender = default,
        bool isCut = false
    )
    {
        _sender.Cut(0);
        _sender.Append(sender);
        _isCut = isCut;
        var whole = message;
        _attributes.Cut(0);
        if (!TryPriority(ref message, out var priority))
        {
            Write(into, now, 0, -1, default, default, whole);
            return;
        }

        Add("syslog.facility"u8, priority >> 3);
        if (message.StartsWith("1 "u8) && TryParse5424(message[2..], priority, now, into))
        {
            return;
        }

        _attributes.Cut(0);
        Add("syslog.facility"u8, priority >> 3);
        Parse3164(message, priority, now, into);
    }

    public void Dispose()
    {
        _attributes.Dispose();
        _value.Dispose();
        _sender.Dispose();
    }

    private static bool TryPriority(ref ReadOnlySpan<byte> message, out int priority)
    {
        priority = 0;
        var end = message.IndexOf((byte)'>');
        if (end is < 2 or > 4 || message[0] != '<')
        {
            return false;
        }

        foreach (var digit in message[1..end])
        {
            if (digit is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            priority = (priority * 10) + (digit - '0');
        }

        message = message[(end + 1)..];
        return priority <= MaxPriority;
    }

    /// <summary>RFC 5424 §6: TIMESTAMP HOST APP PROCID MSGID SD [MSG], after the version. False when it is not that.</summary>
    private bool TryParse5424(ReadOnlySpan<byte> rest, int priority, DateTimeOffset now, LogBlockBuilder into)
    {
        if (
            !Token(ref rest, out var timestamp)
            || !Token(ref rest, out var host)
            || !Token(ref rest, out var app)
            || !Token(ref rest, out var process)
            || !Token(ref rest, out var id)
        )
        {
            return false;
        }

        var time = 0ul;
        if (!IsNil(timestamp) && !Rfc3339.TryParse(timestamp, out time))
        {
            return false;
        }

        AddUnlessNil("syslog.procid"u8, process);
        AddUnlessNil("syslog.msgid"u8, id);
        if (!TryStructuredData(ref rest))
        {
            return false;
        }

        if (rest is [(byte)' ', ..])
        {
            rest = rest[1..];
        }
        else if (!rest.IsEmpty)
        {
            return false;
        }

        if (rest.StartsWith((ReadOnlySpan<byte>)[0xef, 0xbb, 0xbf]))
        {
            rest = rest[3..]; // The mark of UTF-8 (§6.4).
        }

        Write(into, now, time, priority & 7, IsNil(host) ? default : host, IsNil(app) ? default : app, rest);
        return true;
    }

    /// <summary>RFC 5424 §6.3: nothing, or elements <c>[id name="value" …]</c> behind each other.</summary>
    private bool TryStructuredData(ref ReadOnlySpan<byte> rest)
    {
        if (rest is [(byte)'-', ..])
        {
            rest = rest[1..];
            return true;
        }

        if (rest is not [(byte)'[', ..])
        {
            return false;
        }

        while (rest is [(byte)'[', ..])
        {
            rest = rest[1..];
            var idEnd = rest.IndexOfAny((byte)' ', (byte)']');
            if (idEnd < 1)
            {
                return false;
            }

            var id = rest[..idEnd];
            rest = rest[idEnd..];
            while (rest is [(byte)' ', ..])
            {
                rest = rest[1..];
                var equals = rest.IndexOf("=\""u8);
                if (equals < 1 || rest[..equals].IndexOfAny(" ]\""u8) >= 0)
                {
                    return false;
                }

                var name = rest[..equals];
                rest = rest[(equals + 2)..];
                if (!TryValue(ref rest))
                {
                    return false;
                }

                AddMember(id, name, _value.Written);
            }

            if (rest is not [(byte)']', ..])
            {
                return false;
            }

            rest = rest[1..];
        }

        return true;
    }

    /// <summary>To the closing quote; a backslash before a quote, a backslash or a bracket is none (§6.3.3).</summary>
    private bool TryValue(ref ReadOnlySpan<byte> rest)
    {
        _value.Cut(0);
        while (true)
        {
            var at = rest.IndexOfAny((byte)'"', (byte)'\\');
            if (at < 0)
            {
                return false;
            }

            _value.Append(rest[..at]);
            if (rest[at] == '"')
            {
                rest = rest[(at + 1)..];
                return true;
            }

            if (at + 1 < rest.Length && rest[at + 1] is (byte)'"' or (byte)'\\' or (byte)']')
            {
                _value.Append(rest[at + 1]);
                rest = rest[(at + 2)..];
            }
            else
            {
                _value.Append((byte)'\\');
                rest = rest[(at + 1)..];
            }
        }
    }

    /// <summary>
    /// RFC 3164 §4.1: "Mmm dd hh:mm:ss host tag[pid]: text"; what is missing is missing. Many senders put a time of RFC 3339 there instead,
    /// or add a year or a fraction.
    /// </summary>
    private void Parse3164(ReadOnlySpan<byte> message, int priority, DateTimeOffset now, LogBlockBuilder into)
    {
        var rest = message;
        ReadOnlySpan<byte> host = default,
            tag = default;
        if (!TryTime(ref rest, now, out var time))
        {
            Write(into, now, 0, priority & 7, default, default, message); // Without a time nothing tells a host from text (§4.3.3).
            return;
        }

        // A sender on the same machine leaves its name out: then the tag stands here, which ends in a colon or has a bracket.
        var space = rest.IndexOf((byte)' ');
        if (space > 0 && rest[..space] is var word && word.IndexOf((byte)'[') < 0 && (word[^1] != ':' || word.Count((byte)':') > 1))
        {
            host = word;
            rest = rest[(space + 1)..].TrimStart((byte)' ');
        }

        var end = rest.IndexOfAny(EndsTag);
        if (end is > 0 and <= MaxTag && rest[end] != ' ')
        {
            tag = rest[..end];
            rest = rest[end..];
            if (rest[0] == '[' && rest.IndexOf((byte)']') is > 1 and var close)
            {
                Add("syslog.procid"u8, rest[1..close]);
                rest = rest[(close + 1)..];
            }

            if (rest is [(byte)':', ..])
            {
                rest = rest[1..];
            }

            if (rest is [(byte)' ', ..])
            {
                rest = rest[1..];
            }
        }

        Write(into, now, time, priority & 7, host, tag, rest);
    }

    private bool TryTime(ref ReadOnlySpan<byte> rest, DateTimeOffset now, out ulong nanoseconds)
    {
        nanoseconds = 0;
        var isName = rest.Length > 15 && char.IsAsciiLetter((char)rest[1]);
        if (
            !(isName || (rest.Length > 15 && rest[4] == '-'))
            || !Of(now.Offset).Times.TryRead(rest, Nanoseconds(now), out nanoseconds, out var length)
        )
        {
            return false;
        }

        rest = rest[length..];
        rest = rest is [(byte)':', ..] ? rest[1..] : rest; // As routers write it.
        rest = rest.TrimStart((byte)' ');
        return true;
    }

    /// <summary>Reads times in the zone of the silo, which changes twice a year.</summary>
    private LineReader Of(TimeSpan offset)
    {
        if (_lines is null || _offset != offset)
        {
            _offset = offset;
            _lines = new(TimeZoneInfo.CreateCustomTimeZone("silo", offset, null, null));
        }

        return _lines;
    }

    private void Write(
        LogBlockBuilder into,
        DateTimeOffset now,
        ulong time,
        int severity,
        ReadOnlySpan<byte> host,
        ReadOnlySpan<byte> service,
        ReadOnlySpan<byte> body
    )
    {
        var observed = Nanoseconds(now);
        var facts = time == 0 || severity < 0 ? Of(now.Offset).Read(body, observed) : default;
        into.Begin(time == 0 ? facts.Time : time, observed, severity < 0 ? facts.Severity : Severities[severity], default, default);
        if (severity < 0)
        {
            into.AddText(body[facts.Word]);
        }
        else
        {
            into.AddText(SeverityNames[severity]);
        }

        if (service.IsEmpty)
        {
            into.AddText(OtlpDecoder.UnknownService);
        }
        else
        {
            into.AddText(service[..Math.Min(service.Length, OtlpDecoder.MaxServiceBytes)]);
        }

        into.AddText(host.IsEmpty ? _sender.Written : host);
        into.AddText("");
        into.AddText(body.TrimEnd("\r\n\0"u8));
        if (_isCut)
        {
            Comma();
            JsonText.WriteString(_attributes, Truncated);
            _attributes.Append(":true"u8);
        }

        if (_attributes.Length > 0)
        {
            into.Text.Append((byte)'{');
            into.Text.Append(_attributes.Written);
            into.Text.Append((byte)'}');
        }

        into.EndText();
        into.End();
    }

    private void AddUnlessNil(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (!IsNil(value))
        {
            Add(name, value);
        }
    }

    private void Add(ReadOnlySpan<byte> name, int value)
    {
        Comma();
        JsonText.WriteString(_attributes, name);
        _attributes.Append((byte)':');
        JsonText.WriteNumber(_attributes, (long)value);
    }

    private void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Comma();
        JsonText.WriteString(_attributes, name);
        _attributes.Append((byte)':');
        JsonText.WriteString(_attributes, value);
    }

    private void AddMember(ReadOnlySpan<byte> id, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Comma();
        _attributes.Append((byte)'"');
        JsonText.WriteContent(_attributes, id);
        _attributes.Append((byte)'.');
        JsonText.WriteContent(_attributes, name);
        _attributes.Append("\":"u8);
        JsonText.WriteString(_attributes, value);
    }

    private void Comma()
    {
        if (_attributes.Length > 0)
        {
            _attributes.Append((byte)',');
        }
    }

    private static bool Token(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> token)
    {
        var end = rest.IndexOf((byte)' ');
        token = end > 0 ? rest[..end] : default;
        rest = end > 0 ? rest[(end + 1)..] : rest;
        return end > 0;
    }

    private static bool IsNil(ReadOnlySpan<byte> token) => token is [(byte)'-'];

    private static ulong Nanoseconds(DateTimeOffset moment) => (ulong)Math.Max(0, (moment - DateTimeOffset.UnixEpoch).Ticks) * 100;
}
