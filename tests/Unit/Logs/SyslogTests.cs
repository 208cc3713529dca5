using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Doubles.Logs;
using Grains.Logs.Records;
using Grains.Logs.Syslog;
using Xunit;

namespace Unit.Logs;

public sealed partial class SyslogTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.FromHours(1));

    public static TheoryData<string> Messages =>
        [.. File.ReadLines(Path.Combine("Data", "logs", "syslog.tsv")).Where(line => line is not ['#', ..])];

    [Theory]
    [MemberData(nameof(Messages))]
    public void AMessageIsReadAsTheTableSays(string row)
    {
        var cells = row.Split('\t');
        Assert.Equal(8, cells.Length);
        Assert.Equal(
            new()
            {
                Time = Nanos(cells[1] == "-" ? Now : DateTimeOffset.Parse(cells[1], CultureInfo.InvariantCulture)),
                Observed = Nanos(Now),
                Severity = int.Parse(cells[2], CultureInfo.InvariantCulture),
                SeverityText = cells[3],
                Service = cells[4],
                Host = cells[5],
                Body = cells[6],
                Attributes = cells[7],
            },
            Parse(Bytes(cells[0]))
        );
    }

    [Theory]
    [InlineData("2027-01-01T00:00:30Z", "Dec 31 23:59:59", "2026-12-31T23:59:59Z")]
    [InlineData("2026-12-31T23:59:30Z", "Jan  1 00:00:05", "2027-01-01T00:00:05Z")] // A clock that runs before ours.
    [InlineData("2026-12-31T23:59:30Z", "Jan  2 00:00:05", "2026-01-02T00:00:05Z")]
    [InlineData("2029-01-01T00:00:00Z", "Feb 29 00:00:00", "2028-02-29T00:00:00Z")]
    public void ATimeWithoutAYearIsTheLastOneThatIsNotToCome(string now, string time, string expected)
    {
        using var builder = new LogBlockBuilder();
        using var parser = new SyslogParser();
        parser.Parse(Encoding.ASCII.GetBytes($"<13>{time} h app: text"), DateTimeOffset.Parse(now, CultureInfo.InvariantCulture), builder);
        Assert.Equal(Nanos(DateTimeOffset.Parse(expected, CultureInfo.InvariantCulture)), builder.Build()[0].Time);
    }

    [Fact]
    public void EachSeverityHasItsNumber() =>
        Assert.Equal(
            [21, 19, 18, 17, 13, 10, 9, 5],
            Enumerable.Range(0, 8).Select(severity => Parse(Encoding.ASCII.GetBytes($"<{8 + severity}>1 - - - - - - x")).Severity)
        );

    [Theory]
    [InlineData("8 <1>a b c7 <1>d\nef<1>one\n<2>two\r\n\n\06 <1>123text\n", "<1>a b c|<1>d\nef|<1>one|<2>two\r|<1>123|text")]
    [InlineData("4000000 rows imported\n<1>y\n", "4000000 rows importe|<1>y")] // Beyond the bound of this test: cut.
    [InlineData("42 rows\n<1>y\n", "42 rows|<1>y")]
    [InlineData("42\n7 <b>x</b>\n", "42|7 <b>x</b>")]
    [InlineData("12 < 13\n12  <1>x\n", "12 < 13|12  <1>x")]
    [InlineData("7 <192>x\n7 <>xxxx\n", "7 <192>x|7 <>xxxx")] // No priority.
    [InlineData("007 <1>a\n0 <1>b\n", "007 <1>a|0 <1>b")] // RFC 6587: a count begins with 1 to 9.
    [InlineData("99999999 <1>x\n<1>y\n", "99999999 <1>x|<1>y")]
    [InlineData("4194305 <1>x\n<1>y\n", "4194305 <1>x|<1>y")]
    [InlineData("<1>one\0<2>two\0\0<3>three\n4 <4>x", "<1>one|<2>two|<3>three|<4>x")]
    [InlineData("<1>cut", "<1>cut")]
    [InlineData("9 <1>cut", "<1>cut")]
    [InlineData("9 <1", "9 <1")]
    [InlineData("12", "12")]
    [InlineData("<1>45678901234567890\r\n<1>x", "<1>45678901234567890|<1>x")]
    public void TheFramingsAreToldApartMessageByMessageAndALineMayBeginWithANumber(string bytes, string messages)
    {
        for (var atOnce = 1; atOnce <= bytes.Length; atOnce++)
        {
            Assert.Equal(messages.Split('|'), Take(new SyslogFrames(maxMessageBytes: 20), bytes, atOnce).Select(taken => taken.Message));
        }
    }

    [Fact]
    public void AMessageBeyondTheBoundIsCutAndKeptAndWhatIsPassedOverIsCounted()
    {
        var bytes = $"<1>{new string('x', 50)}\n<1>a\n53 <1>{new string('y', 50)}<1>b\n<1>{new string('z', 17)}\n<1>{new string('e', 40)}";
        for (var atOnce = 1; atOnce <= bytes.Length; atOnce++)
        {
            var frames = new SyslogFrames(maxMessageBytes: 20);
            Assert.Equal(
                [
                    ($"<1>{new string('x', 17)}", true),
                    ("<1>a", false),
                    ($"<1>{new string('y', 17)}", true),
                    ("<1>b", false),
                    ($"<1>{new string('z', 17)}", false),
                    ($"<1>{new string('e', 17)}", true),
                ],
                Take(frames, bytes, atOnce)
            );
            Assert.Equal((3, 33 + 33 + 23), (frames.Cut, frames.PassedOver));
        }
    }

    [Fact]
    public void ACountedMessageThatEndsBeforeItsCountIsKeptAndMarked()
    {
        var frames = new SyslogFrames(maxMessageBytes: 20);
        Assert.Equal([("<1>on", true)], Take(frames, "9 <1>on", atOnce: 3));
        Assert.Equal((0, 0), (frames.Cut, frames.PassedOver));
    }

    [Fact]
    public void ACutDoesNotGoThroughACharacter()
    {
        var frames = new SyslogFrames(maxMessageBytes: 20);
        ReadOnlySpan<byte> bytes = Encoding.UTF8.GetBytes($"<1>{new string('x', 15)}\u20ac\u20ac\n");
        Assert.True(frames.TryTake(ref bytes, isLast: true, out var message, out var isCut));
        Assert.Equal((18, true), (message.Length, isCut));
        Assert.False(frames.TryTake(ref bytes, isLast: true, out _, out _));
        Assert.Equal(6, frames.PassedOver);
    }

    [Theory]
    [InlineData("<13>1 - - app - - - x", "192.0.2.7")]
    [InlineData("<13>1 - web-1 app - - - x", "web-1")]
    [InlineData("<13>Nov 23 09:59:59 app[1]: x", "192.0.2.7")]
    [InlineData("<13>Nov 23 09:59:59 web-1 app[1]: x", "web-1")]
    [InlineData("<13>x", "192.0.2.7")]
    [InlineData("x", "192.0.2.7")]
    public void AMessageThatNamesNoHostIsOfTheAddressThatItCameFrom(string message, string host)
    {
        using var builder = new LogBlockBuilder();
        using var parser = new SyslogParser();
        parser.Parse(Encoding.ASCII.GetBytes(message), Now, builder, "192.0.2.7"u8);
        Assert.Equal(host, Encoding.ASCII.GetString(builder.Build()[0].Host));
    }

    [Theory]
    [InlineData("<13>1 - h app - - - cut", """{"syslog.facility":1,"log.truncated":true}""")]
    [InlineData("cut", """{"log.truncated":true}""")]
    public void ACutMessageSaysSo(string message, string attributes)
    {
        using var builder = new LogBlockBuilder();
        using var parser = new SyslogParser();
        parser.Parse(Encoding.ASCII.GetBytes(message), Now, builder, isCut: true);
        Assert.Equal(attributes, Encoding.ASCII.GetString(builder.Build()[0].Attributes));
    }

    [Fact]
    public void WhateverComesIsARecordOfValidText()
    {
        var random = new Random(5424);
        var rows = File.ReadLines(Path.Combine("Data", "logs", "syslog.tsv"))
            .Where(line => line is not ['#', ..])
            .Select(row => Bytes(row.Split('\t')[0]))
            .ToArray();
        for (var turn = 0; turn < 20_000; turn++)
        {
            var bytes = rows[random.Next(rows.Length)].ToArray();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)"<>[]\":\\ -1="[random.Next(11)];
            }

            var line = Parse(bytes[..random.Next(bytes.Length + 1)]);
            if (line.Attributes is not "")
            {
                using var json = JsonDocument.Parse(line.Attributes);
            }
        }
    }

    private static List<(string Message, bool IsCut)> Take(SyslogFrames frames, string bytes, int atOnce)
    {
        var messages = new List<(string, bool)>();
        var held = new List<byte>();
        for (var at = 0; at < bytes.Length; at += atOnce)
        {
            held.AddRange(Encoding.Latin1.GetBytes(bytes[at..Math.Min(bytes.Length, at + atOnce)]));
            ReadOnlySpan<byte> rest = held.ToArray();
            while (frames.TryTake(ref rest, isLast: at + atOnce >= bytes.Length, out var message, out var isCut))
            {
                messages.Add((Encoding.Latin1.GetString(message), isCut));
            }

            held = [.. rest];
        }

        return messages;
    }

    private static LogLine Parse(byte[] message)
    {
        using var builder = new LogBlockBuilder();
        using var parser = new SyslogParser();
        parser.Parse(message, Now, builder);
        var block = builder.Build();
        Assert.True(System.Text.Unicode.Utf8.IsValid(block.Heap));
        return Assert.Single(LogLine.Of(block));
    }

    private static byte[] Bytes(string cell) =>
        Encoding.Latin1.GetBytes(HexByte().Replace(cell, match => ((char)Convert.ToByte(match.Groups[1].Value, 16)).ToString()));

    private static ulong Nanos(DateTimeOffset moment) => (ulong)(moment - DateTimeOffset.UnixEpoch).Ticks * 100;

    [GeneratedRegex(@"\\x([0-9a-f]{2})")]
    private static partial Regex HexByte();
}
