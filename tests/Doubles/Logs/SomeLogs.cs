using System.Globalization;
using Grains.Interfaces.Logs;
using Grains.Logs.Batching;
using Grains.Logs.Records;

namespace Doubles.Logs;

/// <summary>Small blocks of records and requests for tests.</summary>
public static class SomeLogs
{
    /// <summary>2026-01-01T00:00:00Z in nanoseconds.</summary>
    public const ulong Start = 1_767_225_600_000_000_000;

    /// <summary>Records of one service, a second apart, whose bodies are given.</summary>
    public static LogBlock Block(string service, params string[] bodies)
    {
        using var builder = new LogBlockBuilder();
        foreach (var (index, body) in bodies.Index())
        {
            var time = Start + ((ulong)index * 1_000_000_000);
            builder.Begin(time, time, 9, [], []);
            foreach (var text in (ReadOnlySpan<string>)["INFO", service, "host-1", "", body, """{"user.id":42}"""])
            {
                builder.AddText(text);
            }

            builder.End();
        }

        return builder.Build();
    }

    /// <summary>A request whose records all are to be stored.</summary>
    public static WriteLogs Request(ulong id, DateTimeOffset deadline, string service, params string[] bodies) =>
        new(
            new(7, id),
            deadline,
            [new("default", Block(service, bodies))],
            [Tally.None with { Service = service, Received = bodies.Length, Stored = bodies.Length }]
        );

    /// <summary>Bodies that are told apart.</summary>
    public static string[] Bodies(int count, string prefix = "line") =>
        [.. Enumerable.Range(1, count).Select(number => string.Create(CultureInfo.InvariantCulture, $"{prefix} {number}"))];
}
