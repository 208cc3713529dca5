using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Grains.Interfaces.Values;
using Unit.Logs;
using Xunit;

namespace Unit.Client;

/// <summary>Text of any origin cannot steer the terminal of whoever looks at it; programs get it as it is.</summary>
public sealed partial class TerminalTextTests : IDisposable
{
    /// <summary>
    /// ESC, BEL, a carriage return, DEL, CSI and OSC of C1, overrides and isolates of direction, separators of lines, a tag beyond the BMP.
    /// </summary>
    private const string Hostile =
        "a\u001b[2J\u001b]0;owned\u0007\r\b\u007f\u009b1m\u009d0;owned\u202e\u2066\u200f\u2028\u2029\u061c\U000e0041b";

    private readonly ConsoleInMemory _console = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("terminal-").FullName;

    public static TheoryData<string, bool> ForPeople
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (
                var verb in (string[])
                    [
                        "crawl list",
                        "crawl show shop",
                        "crawl explain shop http://a.example/",
                        "logs query",
                        "logs sql x",
                        "logs rules list",
                        "orders list",
                        "orders show",
                        "keys list",
                        "ledger",
                    ]
            )
            {
                data.Add(verb, true);
                data.Add(verb, false);
            }

            return data;
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(ForPeople))]
    public async Task NothingThatIsPrintedForPeopleSteersATerminal(string verb, bool isTerminal)
    {
        var order = await Prepare();
        _console.IsTerminal = isTerminal;

        var printed = await _console.Run([.. verb.Split(' '), .. verb == "orders show" ? (string[])[order] : []]);

        Assert.NotEmpty(printed.Output);
        Assert.DoesNotContain(Seen(printed.Output + printed.Error), Steers);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnErrorThatRepeatsWhatWasAskedDoesNotEither(bool isTerminal)
    {
        _console.IsTerminal = isTerminal;
        foreach (
            var args in (string[][])
                [
                    ["crawl", "show", Hostile],
                    [Hostile],
                    ["crawl", "start", "http://a/", "--delay", Hostile],
                    ["orders", "show", Hostile],
                    ["keys", "revoke", Hostile],
                    ["logs", "send", Hostile, "--service", "x"],
                ]
        )
        {
            var printed = await _console.Run(args);

            Assert.NotEqual(0, printed.Code);
            Assert.DoesNotContain(Seen(printed.Error), Steers);
        }
    }

    [Fact]
    public async Task ProgramsGetItAsItIs()
    {
        await Prepare();

        Assert.Equal(Hostile, Member(await _console.Run("crawl", "export", "shop"), "title"));
        Assert.Equal(Hostile, Member(await _console.Run("logs", "query", "--json"), "body"));
        var file = Path.Combine(_folder, "pages.csv");
        await _console.Run("crawl", "export", "shop", "--out", file);
        Assert.Contains(Hostile, await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task DataThatGoesToATerminalIsSpelledAndStaysTheSameJson()
    {
        await Prepare();
        _console.IsTerminal = true;

        foreach (
            var (verb, member) in (IEnumerable<(string, string)>)
                [("crawl export shop", "title"), ("logs query --json", "body"), ("crawl explain shop http://a.example/ --json", "url")]
        )
        {
            var printed = await _console.Run(verb.Split(' '));
            Assert.DoesNotContain(Seen(printed.Output), Steers);
            Assert.Equal(Hostile, Member(printed, member));
        }

        Assert.DoesNotContain(
            Seen((await _console.Run("crawl", "export", "shop", "--format", "csv")).Output.Replace("\r\n", "\n", StringComparison.Ordinal)),
            Steers
        );
    }

    [Fact]
    public async Task ACellThatASpreadsheetWouldRunIsATextAndANumberStaysOne()
    {
        _console.Cluster.Logs.Rows = new(
            ["=cmd", "n"],
            ["Varchar", "BigInt"],
            ["""["=HYPERLINK(\"http://e.example/\")",-5]""", """["-2+3",7]"""],
            LogsInMemory.End()
        );

        Assert.Equal(
            "'=cmd,n\r\n\"'=HYPERLINK(\"\"http://e.example/\"\")\",-5\r\n'-2+3,7\r\n",
            (await _console.Run("logs", "sql", "x", "--csv")).Output
        );
    }

    [Theory]
    [InlineData("plain ünicode 🙂", "plain ünicode 🙂")]
    [InlineData("a\tb\nc", "a\uFFFDb\uFFFDc")]
    public void WhatIsHarmlessStays(string text, string clean) => Assert.Equal(clean, TerminalText.Clean(text));

    [Fact]
    public void HalfOfAPairIsReplaced() => Assert.Equal("half \uFFFD", TerminalText.Clean("half \ud83d"));

    private async Task<string> Prepare()
    {
        var attributes = $$"""{"{{JsonEncodedText.Encode(Hostile)}}":"{{JsonEncodedText.Encode(Hostile)}}"}""";
        var crawl = _console.Keep(ConsoleInMemory.Crawl() with { Note = Hostile, Name = "shop" });
        crawl.ExportPages.Add([
            new(
                "http://a.example/",
                200,
                1,
                null,
                "text/html",
                Hostile,
                1,
                "sha256:00ff",
                5,
                ConsoleInMemory.Start,
                42,
                2,
                null,
                false,
                Hostile
            ),
        ]);
        crawl.Explanation = new(Hostile, "fetched", [new(Hostile, Hostile)]);
        _console.Keep(ConsoleInMemory.Crawl("other00000", Hostile));
        _console.Cluster.KnownKeys.Keys.Add(new(Hostile, Grains.Interfaces.Keys.ApiRole.Reader, ConsoleInMemory.Start));
        _console.Cluster.Logs.Found.Add(
            new(LogValue.Block([new LogValue(1, 1, 9, "", Hostile, "", "", Hostile, attributes, "", "")]), LogsInMemory.End())
        );
        _console.Cluster.Logs.Rows = new([Hostile], ["Varchar"], [JsonSerializer.Serialize(new[] { Hostile })], LogsInMemory.End());
        _console.Cluster.Accounts.Add(
            new("crawling", Hostile, 1, 1, System.Collections.Immutable.ImmutableSortedDictionary<string, long>.Empty, 0, 1, Hostile)
        );
        var placed = await _console.Run(
            "orders",
            "place",
            "--customer",
            "ann",
            "--line",
            "tea:2:450",
            "--notes",
            "Ring\u001b twice\u202e.",
            "--json"
        );
        return JsonElement.Parse(placed.Output).GetProperty("id").GetString()!;
    }

    private static string? Member(Printed printed, string name) => JsonElement.Parse(printed.Lines[0]).GetProperty(name).GetString();

    /// <summary>Without the colours that the console itself sets; none of the hostile signs has that form.</summary>
    private static Rune[] Seen(string printed) => [.. Colours().Replace(printed, "").EnumerateRunes()];

    [GeneratedRegex("\u001b\\[[0-9;]*m")]
    private static partial Regex Colours();

    private static bool Steers(Rune rune) =>
        rune.Value != '\n'
        && Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;
}
