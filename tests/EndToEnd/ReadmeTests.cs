using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace EndToEnd;

/// <summary>
/// Every command that a README or a page below <c>docs</c> shows is run as it stands there, by bash, in the page's order, in a folder and
/// against a silo of its own. What is put in place
/// of what the text says: <c>dotnet run -c Release --project Client</c> and <c>Silo</c> are the programs as they were built, the ports are
/// the page's own, <c>https://example.org/</c> is a site on
/// loopback where a crawl begins (to which crawls of the page may connect), and <c>/var/log/dpkg.log</c> is a file that is there on every
/// machine. A command that goes on until
/// Ctrl-C is ended when it has said something, while warnings are written to the log.
/// </summary>
public sealed partial class ReadmeTests
{
    /// <summary>The README's two commands, which <c>.ci/run</c> runs as they stand there before all else.</summary>
    private static readonly string[] s_runByCi =
    [
        "dotnet run -c Release --project Client -- demo",
        "dotnet test -c Release --solution tests/Quick.slnf",
    ];

    /// <summary>For a hang: a page of sixty commands takes a minute or two.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(15);

    private static string Root => Repository.Folder;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> PagesWithCommands =>
        new(AllPages().Where(page => page.Commands.Any(command => command.LeftOut is null)).Select(page => page.Page));

    [Fact]
    public void EveryCommandOfEveryPageIsRunOrSaysWhyNot()
    {
        var pages = AllPages();
        var commands = pages.SelectMany(page => page.Commands).ToArray();

        Assert.Empty(pages.SelectMany(page => page.Unmarked));
        Assert.DoesNotContain(commands, command => command.LeftOut == "no reason is given");
        Assert.Empty(
            pages.SelectMany(page =>
                page.Commands.Where(command => command.LeftOut is not null).SelectMany(command => Unknown(page.Page, command))
            )
        );
        foreach (var leftOut in commands.Where(command => command.LeftOut is not null).GroupBy(command => command.LeftOut))
        {
            Say($"{leftOut.Count()} left out: {leftOut.Key}");
        }

        Say(
            $"{commands.Count(command => command.LeftOut is null)} commands are run, "
                + $"{commands.Count(command => command.LeftOut is not null)} are left out, on {pages.Count} pages"
        );
    }

    [Fact]
    public void TheTwoCommandsOfTheReadmeAreThoseThatCiRuns()
    {
        var readme = File.ReadAllText(Path.Combine(Root, "README.md"));
        var ci = File.ReadAllText(Path.Combine(Root, ".ci", "run"));
        foreach (var command in s_runByCi)
        {
            Assert.Contains("\n" + command + "\n", readme, StringComparison.Ordinal);
            Assert.Contains(command, ci, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(PagesWithCommands))]
    public async Task APageIsRun(string page)
    {
        var commands = Read(page).Commands.Where(command => command.LeftOut is null && !s_runByCi.Contains(command.Text)).ToArray();
        using var place = new SiloPlace();
        await using var site = await CrawledSite.Start(pages: 3);
        await using var silo = await SiloProcess.StartReady(place, "--Crawling:AllowPrivate", "127.0.0.0/8");

        var (done, said) = await RunPage(place, site.Seed, commands);

        foreach (var (command, code) in commands.Zip(done.Concat(Enumerable.Repeat<int?>(null, commands.Length))))
        {
            Assert.True(
                code == 0,
                $"{page}:{command.Line} {(code is null ? "was not run" : $"ended with {code}")}: {command.Text}{Environment.NewLine}{said}"
            );
        }

        Say($"{page}: {commands.Length} commands were run");
    }

    /// <summary>The exit codes of the commands that were run, in their order, and all that was printed.</summary>
    private static async Task<(int?[] Codes, string Said)> RunPage(SiloPlace place, string seed, IReadOnlyList<MarkdownCommand> commands)
    {
        var (script, results, log) = (
            Path.Combine(place.Folder, "page.sh"),
            Path.Combine(place.Folder, "page.results"),
            Path.Combine(place.Folder, "dpkg.log")
        );
        await File.WriteAllTextAsync(
            log,
            "2026-11-30 10:00:00 install bash:amd64 <none> 5.2.15-2+b7\n2026-11-30 10:00:01 status installed bash:amd64 5.2.15-2+b7\n",
            Cancel
        );
        var text = new StringBuilder(Prelude);
        foreach (var command in commands)
        {
            var run = command
                .Text.Replace(
                    """
                    "seeds":["https://example.org/"]
                    """,
                    $"""
                    "seeds":["{seed}"],"allowPrivate":["127.0.0.0/8"]
                    """,
                    StringComparison.Ordinal
                )
                .Replace("url=https://example.org/", $"url={seed}", StringComparison.Ordinal)
                .Replace("crawl start https://example.org/", $"crawl start {seed} --allow-private 127.0.0.0/8", StringComparison.Ordinal)
                .Replace("crawl explain first https://example.org/", $"crawl explain first {seed}", StringComparison.Ordinal)
                .Replace("localhost:8080", place.Http.ToString(), StringComparison.Ordinal)
                .Replace("/var/log/dpkg.log", log, StringComparison.Ordinal);
            text.Append(CultureInfo.InvariantCulture, $"echo {Quoted($"$ {run}")}\n{run}\necho $? >>{Quoted(results)}\n");
        }

        await File.WriteAllTextAsync(script, text.ToString(), Cancel);
        using var bash = new Process
        {
            StartInfo = new("bash", [script])
            {
                WorkingDirectory = place.Folder,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment =
                {
                    ["DOTNET"] = SiloProcess.DotNet,
                    ["PROGRAMS"] = AppContext.BaseDirectory,
                    ["HTTP"] = place.Http.ToString(),
                    ["SILO_GATEWAY"] = place.Gateway.ToString(),
                    ["HOME"] = place.Folder,
                    ["XDG_DATA_HOME"] = place.Folder,
                },
            },
        };
        var said = new StringBuilder();
        bash.OutputDataReceived += (_, line) => Append(line.Data);
        bash.ErrorDataReceived += (_, line) => Append(line.Data);
        bash.Start();
        bash.StandardInput.Close();
        bash.BeginOutputReadLine();
        bash.BeginErrorReadLine();
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        bound.CancelAfter(Bound);
        try
        {
            await bash.WaitForExitAsync(bound.Token);
        }
        finally
        {
            if (!bash.HasExited)
            {
                bash.Kill(entireProcessTree: true);
            }
        }

        lock (said)
        {
            return (
                [
                    .. File.Exists(results)
                        ? File.ReadAllLines(results).Select(code => (int?)int.Parse(code, CultureInfo.InvariantCulture))
                        : [],
                ],
                said.ToString()
            );
        }

        void Append(string? line)
        {
            lock (said)
            {
                said.AppendLine(line);
            }
        }
    }

    /// <summary>What the words of the pages mean here.</summary>
    private const string Prelude = """
        set -o pipefail
        dotnet() {
            if [[ "$1 $2 $3 $4" != "run -c Release --project" ]]; then
                echo "A page shows 'dotnet run -c Release --project …', and here: dotnet $*" >&2
                return 99
            fi
            local project=$5
            shift 5
            [[ ${1-} == -- ]] && shift
            case "$project $*" in
                Client*"logs tail"* | Client*"orders watch"* | Client*"logs send"*--follow*) until_it_speaks "$DOTNET" "$PROGRAMS/Client.dll" "$@" ;;
                Client*) command "$DOTNET" "$PROGRAMS/Client.dll" "$@" ;;
                Silo*--help* | Silo*--restore*) command "$DOTNET" "$PROGRAMS/Silo.dll" "$@" ;;
                # The page's silo is up already.
                "Silo ") command curl -sf -o /dev/null "http://$HTTP/health/ready" ;;
                *) echo "No such program: $project $*" >&2; return 99 ;;
            esac
        }
        curl() {
            case "$*" in
                */watch* | */tail*) until_it_speaks curl --fail-with-body "$@" ;;
                *) command curl --fail-with-body "$@" ;;
            esac
        }
        # What is written by itself may come a moment later.
        cat() {
            local file
            for file in "$@"; do
                until compgen -G "$file" >/dev/null; do command sleep 0.1; done
                command cat $file
            done
        }
        # Runs a command that has no end, and ends it when it has said something; meanwhile the log has warnings to show.
        until_it_speaks() {
            local said line code
            said=$(mktemp -u -p .)
            mkfifo "$said"
            command "$@" >"$said" &
            local running=$!
            while kill -0 $running 2>/dev/null; do
                command curl -s -o /dev/null "http://$HTTP/api/logs?service=shop" -H 'Content-Type: application/x-ndjson' -d '{"severity":"warn","body":"a warning"}'
                command sleep 0.2
            done &
            local warning=$!
            if read -r line; then code=0; else code=98; fi <"$said"
            echo "$line"
            kill -TERM $running 2>/dev/null
            wait $running $warning
            rm "$said"
            return $code
        }

        """;

    /// <summary>What a command that is not run names, and is not there.</summary>
    private static IEnumerable<string> Unknown(string page, MarkdownCommand command)
    {
        foreach (Match named in NamedProject().Matches(command.Text))
        {
            var path = Path.Combine(Root, named.Groups[1].Value);
            if (!File.Exists(path) && !Directory.Exists(path))
            {
                yield return $"{page}:{command.Line} names {named.Groups[1].Value}, which is not there: {command.Text}";
            }
        }

        foreach (Match filter in NamedTests().Matches(command.Text))
        {
            var (isClass, pattern) = (
                filter.Groups[1].Value == "class",
                new Regex($"^{Regex.Escape(filter.Groups[2].Value).Replace("\\*", ".*", StringComparison.Ordinal)}$")
            );
            if (
                !Assembly
                    .GetExecutingAssembly()
                    .GetTypes()
                    .Any(type =>
                        isClass
                            ? pattern.IsMatch(type.FullName!)
                            : type.GetMethods().Any(method => pattern.IsMatch($"{type.FullName}.{method.Name}"))
                    )
            )
            {
                yield return $"{page}:{command.Line} names tests that are not there: {command.Text}";
            }
        }

        if (!command.Text.Contains("-c Release", StringComparison.Ordinal) && Builds().IsMatch(command.Text))
        {
            yield return $"{page}:{command.Line} does not say -c Release: {command.Text}";
        }
    }

    private static IReadOnlyList<MarkdownCommands> AllPages() =>
        [.. MarkdownCommands.Pages(Root).Select(path => Read(Path.GetRelativePath(Root, path)))];

    private static MarkdownCommands Read(string page) => MarkdownCommands.Read(page, File.ReadAllLines(Path.Combine(Root, page)));

    private static void Say(string text) => TestContext.Current.TestOutputHelper?.WriteLine(text);

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    [GeneratedRegex("dotnet (build|run|test|pack|publish)\\b")]
    private static partial Regex Builds();

    [GeneratedRegex(@"--(?:project|solution) (\S+)")]
    private static partial Regex NamedProject();

    [GeneratedRegex("--filter-(class|method) \"([^\"]+)\"")]
    private static partial Regex NamedTests();
}
