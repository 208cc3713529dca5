using System.Globalization;
using System.Text;
using Doubles.Logs;
using Grains.Interfaces.Logs;
using Grains.Logs.Records;
using Grains.Logs.Text;
using Xunit;

namespace Unit.Logs;

/// <summary>What plain text says of its time and severity, by the tables of tests/Data/logs, and which lines belong together.</summary>
public sealed class TextTests
{
    private static readonly TimeZoneInfo Zone = TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(1), null, null);
    private static readonly ulong Now = Nanos("2026-12-01T00:00:00Z");

    public static TheoryData<string> Times => Rows("times.tsv");

    public static TheoryData<string> Lines => Rows("text.tsv");

    [Theory]
    [MemberData(nameof(Times))]
    public void ATimeIsReadAsTheTableSays(string row)
    {
        var cells = row.Split('\t');
        Assert.Equal(2, cells.Length);
        Assert.Equal(cells[1], new TimeReader(Zone).TryParse(Encoding.UTF8.GetBytes(cells[0]), Now, out var time) ? Written(time) : "-");
    }

    [Theory]
    [MemberData(nameof(Lines))]
    public void ALineSaysWhatTheTableSays(string row)
    {
        var cells = row.Split('\t');
        Assert.Equal(4, cells.Length);
        var line = Encoding.UTF8.GetBytes(
            cells[0].Replace("\\t", "\t", StringComparison.Ordinal).Replace("\\e", "\u001b", StringComparison.Ordinal)
        );
        var facts = new LineReader(Zone).Read(line, Now);
        Assert.Equal(
            (cells[1], cells[2], cells[3]),
            (
                facts.Time == 0 ? "-" : Written(facts.Time),
                facts.Severity.ToString(CultureInfo.InvariantCulture),
                Encoding.UTF8.GetString(line[facts.Word])
            )
        );
    }

    [Fact]
    public void WhateverTheLineNothingBreaksAndTheWordLiesInIt()
    {
        var random = new Random(10);
        var reader = new LineReader(Zone);
        byte[][] rows =
        [
            .. new[] { "text.tsv", "times.tsv" }
                .SelectMany(file => File.ReadLines(Path.Combine("Data", "logs", file)))
                .Select(row => Encoding.UTF8.GetBytes(row)),
        ];
        for (var turn = 0; turn < 50_000; turn++)
        {
            var bytes = rows[random.Next(rows.Length)].ToArray();
            for (var change = random.Next(1, 4); change > 0 && bytes.Length > 0; change--)
            {
                bytes[random.Next(bytes.Length)] =
                    random.Next(2) == 0 ? (byte)random.Next(256) : (byte)"0123456789 :-/[]=\"T+"[random.Next(20)];
            }

            var line = bytes[..random.Next(bytes.Length + 1)];
            var facts = reader.Read(line, Now);
            Assert.Equal(facts.Time != 0, TimeReader.IsPlausible(facts.Time, Now));
            Assert.True(facts.Word.End.Value <= line.Length);
        }
    }

    [Theory]
    [InlineData("WARN", 13)]
    [InlineData("Warning", 13)]
    [InlineData("error", 17)]
    [InlineData("CRITICAL", 21)]
    [InlineData("Information", 9)]
    [InlineData("INFO2", 10)]
    [InlineData("error4", 20)]
    [InlineData("info5", 0)]
    [InlineData("informational", 9)]
    [InlineData("loud", 0)]
    [InlineData("", 0)]
    [InlineData("w\u00e4rn", 0)]
    public void AWordOfSeverityIsItsNumber(string word, int number) => Assert.Equal(number, LogSeverity.Of(Encoding.UTF8.GetBytes(word)));

    [Fact]
    public void ATraceIsOneRecordWithTheLineThatItBelongsTo()
    {
        const string Java = """
            2026-11-30 10:00:00,123 ERROR [main] App - it broke
            java.lang.IllegalStateException: no
            \tat App.main(App.java:12)
            Caused by: java.io.IOException: gone
            \t... 3 more

            2026-11-30 10:00:01,123 INFO [main] App - next
            """;
        const string Python = """
            ERROR:root:it broke
            Traceback (most recent call last):
              File "a.py", line 1, in <module>
            ValueError: no
            INFO:root:next
            """;
        const string DotNet = """
            info: Shop[0]
                  started
            fail: Shop[1]
                  it broke
                  System.Exception: no
                     at Shop.Main()
            """;
        Assert.Equal([6, 1], Joined(Java));
        Assert.Equal([4, 1], Joined(Python));
        Assert.Equal([2, 4], Joined(DotNet));
        Assert.Equal([1, 1, 1], Joined("one\ntwo\nthree"));
    }

    [Fact]
    public void ARecordOfManyLinesIsBoundedAndWhatIsBeyondIsKept()
    {
        var lines = string.Concat(Enumerable.Repeat(" at x\n", 1200));
        Assert.Equal([RecordJoiner.MaxLines, RecordJoiner.MaxLines, 201], Joined("2026-11-30 10:00:00 x\n" + lines));
        Assert.Equal([3, 4], Joined("first line\n a\n b\n c\n d\n e\n f\n", maxBytes: 17));
    }

    [Fact]
    public void TheLastRecordBeginsWhereAPartMayEnd()
    {
        const string Text = "2026-11-30 10:00:00 a\n at x\n2026-11-30 10:00:01 b\n at y\n";
        Assert.Equal(
            Text.IndexOf("2026-11-30 10:00:01", StringComparison.Ordinal),
            new RecordJoiner(new(Zone)).LastStart(Encoding.UTF8.GetBytes(Text), Now)
        );
        Assert.Equal(0, new RecordJoiner(new(Zone)).LastStart(" at x\n at y\n"u8, Now));
    }

    [Fact]
    public void LinesThatAreJoinedAreOneRecordWithTheTimeAndTheSeverityOfTheFirst()
    {
        const string Text = "2026-11-30 10:00:00 WARN a\r\n at x\r\nNov 30, 2026 10:00:01 AM shop.App main\nSEVERE: b\n";
        using var builder = new LogBlockBuilder();
        var decoded = new LineDecoder(new(1 << 20), "s", "h", "f", Zone, isMultiline: true).Decode(
            Encoding.UTF8.GetBytes(Text),
            Now,
            builder
        );

        Assert.Equal((2, 0), (decoded.Received, decoded.Refused));
        Assert.Equal(
            [(13, "WARN", "2026-11-30 10:00:00 WARN a\r\n at x"), (17, "SEVERE", "Nov 30, 2026 10:00:01 AM shop.App main\nSEVERE: b")],
            LogLine.Of(builder.Build()).Select(line => (line.Severity, line.SeverityText, line.Body))
        );
    }

    private static int[] Joined(string text, int maxBytes = RecordJoiner.MaxBytes)
    {
        var joiner = new RecordJoiner(new(Zone), maxBytes);
        var bytes = Encoding.UTF8.GetBytes(text.Replace("\\t", "\t", StringComparison.Ordinal)).AsSpan();
        var counts = new List<int>();
        while (!bytes.IsEmpty)
        {
            var length = joiner.Next(bytes, Now);
            counts.Add(bytes[..length].Count((byte)'\n') + (bytes[length - 1] == '\n' ? 0 : 1));
            bytes = bytes[length..];
        }

        return [.. counts];
    }

    private static TheoryData<string> Rows(string file) =>
        [.. File.ReadLines(Path.Combine("Data", "logs", file)).Where(line => line is not ['#', ..])];

    private static string Written(ulong nanoseconds) => LogForm.Time(nanoseconds)[..^1].TrimEnd('0').TrimEnd('.') + "Z";

    private static ulong Nanos(string time) => LogForm.Nanoseconds(DateTimeOffset.Parse(time, CultureInfo.InvariantCulture));
}
