using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Silo.Telemetry;
using Xunit;

namespace Unit.Silo;

public sealed class JsonFormatterTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void AnEntryIsOneObjectOnOneLine()
    {
        var line = Format(
            LogLevel.Warning,
            "Crawl {Id} has {Pages} pages\nand \"more\"",
            null,
            ("Id", "abc"),
            ("Pages", 7),
            ("{OriginalFormat}", "x")
        );

        Assert.Equal(
            """{"time":"2026-03-01T12:00:00+00:00","level":"Warning","category":"Grains.Crawling.CrawlGrain","message":"Crawl {Id} has {Pages} pages\nand \"more\"","fields":{"Id":"abc","Pages":7}}"""
                + "\n",
            line
        );
    }

    [Fact]
    public void AnExceptionIsInItWhole()
    {
        var json = JsonDocument.Parse(Format(LogLevel.Error, "It failed", new InvalidOperationException("No."))).RootElement;
        Assert.Equal("System.InvalidOperationException: No.", json.GetProperty("exception").GetString());
    }

    [Fact]
    public void WhatIsNoEntryHasTheSameForm() =>
        Assert.Equal(
            """{"time":"2026-03-01T12:00:00+00:00","level":"Information","category":"Silo","message":"Ready: a\nb"}""",
            JsonFormatter.Line(Now, "Ready: a\nb")
        );

    private static string Format(LogLevel level, string message, Exception? exception, params (string, object?)[] fields)
    {
        using var output = new StringWriter { NewLine = "\n" };
        var state = fields.Select(field => new KeyValuePair<string, object?>(field.Item1, field.Item2)).ToArray();
        new JsonFormatter(new FakeTimeProvider(Now)).Write(
            new LogEntry<KeyValuePair<string, object?>[]>(level, "Grains.Crawling.CrawlGrain", 0, state, exception, (_, _) => message),
            null,
            output
        );
        return output.ToString();
    }
}
