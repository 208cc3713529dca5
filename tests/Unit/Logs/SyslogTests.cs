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

    public static TheoryData<string> Messages => [.. File.ReadLines(Path.Combine("Data", "logs", "syslog.tsv")).Where(line => line is not ['#', ..])];

    [Theory]
    [MemberData(nameof(Messages))]
    public void AMessageIsReadAsTheTableSays(string row)
    {
        var cells = row.Split('\t');
        Assert.Equal(8, cells.Length);
        Assert.Equal(
            new()
            {
                Time = Nanos(cells[1] == "-" ? Now : DateTimeOffset.Parse(cells[1], CultureInfo.InvariantCulture)), Observed = Nanos(Now), Severity = int.Parse(cells[2], CultureInfo.InvariantCulture),
                SeverityText = cells[3], Service = cells[4], Host = cells[5], Body = cells[6], Attributes = cells[7],
            },
            Parse(Bytes(cells[0])));
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
        Assert.Equal([21, 19, 18, 17, 13, 10, 9, 5], Enumerable.Range(0, 8).Select(severity => Parse(Encoding.ASCII.GetBytes($"<{8 + severity}>1 - - - - - - x")).Severity));

    [Theory]
    [InlineData("5 a b c3 d\ne<1>one\n<2>two\r\n\n\03 123text\n", "a b c|d\ne|<1>one|<2>two\r|123|text")]
    [InlineData("99999999999 x\n<1>y\n", "99999999999 x|<1>y")] // No count: it has too many digits.
    [InlineData("0 x\n12x\n", "0 x|12x")]
    [InlineData("<1>cut", "<1>cut")]
    [InlineData("9 cut", "cut")]
    [InlineData("12", "12")]
    public void BothFramingsAreToldApartMessageByMessage(string bytes, string messages)
    {
        for (var atOnce = 1; atOnce <= bytes.Length; atOnce++)
        {
            Assert.Equal(messages.Split('|'), Take(new SyslogFrames(maxMessageBytes: 20), bytes, atOnce));
        }
    }

    [Fact]
    public void AMessageBeyondTheBoundIsPassedOverAndCounted()
    {
        var bytes = $"<1>{new string('x', 50)}\n<1>a\n50 {new string('y', 50)}<1>b\n<1>{new string('z', 17)}\n";
        for (var atOnce = 1; atOnce <= bytes.Length; atOnce++)
        {
            var frames = new SyslogFrames(maxMessageBytes: 20);
            Assert.Equal(["<1>a", "<1>b", $"<1>{new string('z', 17)}"], Take(frames, bytes, atOnce));
            Assert.Equal(2, frames.TooLarge);
        }
    }

    [Fact]
    public void WhateverComesIsARecordOfValidText()
    {
        var random = new Random(5424);
        var rows = File.ReadLines(Path.Combine("Data", "logs", "syslog.tsv")).Where(line => line is not ['#', ..]).Select(row => Bytes(row.Split('\t')[0])).ToArray();
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

    private static List<string> Take(SyslogFrames frames, string bytes, int atOnce)
    {
        var messages = new List<string>();
        var held = new List<byte>();
        for (var at = 0; at < bytes.Length; at += atOnce)
        {
            held.AddRange(Encoding.Latin1.GetBytes(bytes[at..Math.Min(bytes.Length, at + atOnce)]));
            ReadOnlySpan<byte> rest = held.ToArray();
            while (frames.TryTake(ref rest, isLast: at + atOnce >= bytes.Length, out var message))
            {
                messages.Add(Encoding.Latin1.GetString(message));
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

    private static byte[] Bytes(string cell) => Encoding.Latin1.GetBytes(HexByte().Replace(cell, match => ((char)Convert.ToByte(match.Groups[1].Value, 16)).ToString()));

    private static ulong Nanos(DateTimeOffset moment) => (ulong)(moment - DateTimeOffset.UnixEpoch).Ticks * 100;

    [GeneratedRegex(@"\\x([0-9a-f]{2})")]
    private static partial Regex HexByte();
}
