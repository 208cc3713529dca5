using Xunit;

namespace Unit.Client;

public sealed class ConsoleTests
{
    private readonly ConsoleInMemory _console = new();

    [Fact]
    public async Task HelpNamesTheVerbsAndTheExitCodes()
    {
        var printed = await _console.Run("--help");

        Assert.Equal(ExitCode.Done, printed.Code);
        Assert.All(
            [
                "crawl",
                "ledger",
                "cluster",
                "demo",
                "--gateway",
                "--cluster",
                "--json",
                "0 done, 1 failed, 2 wrong usage, 3 no silo reached",
            ],
            word => Assert.Contains(word, printed.Output, StringComparison.Ordinal)
        );
        Assert.Equal(printed.Output, (await _console.Run()).Output);
    }

    [Fact]
    public async Task HelpOfCrawlNamesEveryVerb()
    {
        var printed = await _console.Run("crawl", "--help");

        Assert.All(["start", "list", "show", "follow", "pause", "resume", "cancel", "delete", "export", "explain"], verb =>
            Assert.Contains($"  {verb} ", printed.Output, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData(
        "A verb is missing: start, list, show, follow, add, retry, hosts, pause, resume, cancel, delete, export, explain, page. Try: crawl --help",
        "crawl"
    )]
    [InlineData("The argument \"seed\" is missing. Try: crawl start --help", "crawl", "start")]
    [InlineData(
        "--delay is a duration such as 500ms, 1s, 2m or 0; this is \"4\". Try: crawl start --help",
        "crawl",
        "start",
        "http://a/",
        "--delay",
        "4"
    )]
    [InlineData(
        "--max-body is a size such as 512KB or 10MB, less than 2GB; this is \"2GB\". Try: crawl start --help",
        "crawl",
        "start",
        "http://a/",
        "--max-body",
        "2GB"
    )]
    [InlineData(
        "--scope is host, domain, prefix or any; this is \"1\". Try: crawl start --help",
        "crawl",
        "start",
        "http://a/",
        "--scope",
        "1"
    )]
    [InlineData("\"a:b:c\" is no gateway: it would look like 127.0.0.1:30000. Try: ledger --help", "ledger", "--gateway", "a:b:c")]
    public async Task WrongUsageIsOneSentenceAndExitCodeTwo(string sentence, params string[] args)
    {
        var printed = await _console.Run(args);

        Assert.Equal((ExitCode.WrongUsage, "", sentence + "\n", 0), (printed.Code, printed.Output, printed.Error, _console.Opens));
    }

    [Fact]
    public async Task WrongUsageIsAnObjectForPrograms()
    {
        var printed = await _console.Run("crawl", "--json");

        Assert.Equal(
            (
                ExitCode.WrongUsage,
                """{"error":"A verb is missing: start, list, show, follow, add, retry, hosts, pause, resume, cancel, delete, export, explain, page. Try: crawl --help"}"""
                    + "\n"
            ),
            (printed.Code, printed.Error)
        );
    }

    [Theory]
    [InlineData("127.0.0.1:30000")]
    [InlineData(
        "127.0.0.1:30000, [::1]:30100, [::1]:30000, silo.example:30000",
        "--gateway",
        "127.0.0.1:30000",
        "--gateway",
        "[::1]:30100",
        "--gateway",
        "::1",
        "--gateway",
        "silo.example"
    )]
    public async Task GatewaysAreThoseThatWereNamed(string address, params string[] args)
    {
        await _console.Run(["ledger", .. args]);

        Assert.Equal((address, "dev"), (_console.Opened!.ToString(), _console.Opened.ClusterId));
    }

    [Fact]
    public async Task TheEnvironmentNamesGatewaysWhenNoOptionDoes()
    {
        _console.Environment[GlobalOptions.GatewayVariable] = "10.0.0.4:30000, 10.0.0.5:30000";

        await _console.Run("ledger", "--cluster", "shop");
        Assert.Equal(("10.0.0.4:30000, 10.0.0.5:30000", "shop"), (_console.Opened!.ToString(), _console.Opened.ClusterId));

        await _console.Run("ledger", "--gateway", "10.0.0.6:1");
        Assert.Equal("10.0.0.6:1", _console.Opened.ToString());
    }

    [Fact]
    public async Task NoSiloIsExitCodeThree()
    {
        _console.OnOpen = _ => throw new ConsoleException("No silo of cluster \"dev\" was reached at 127.0.0.1:30000.", ExitCode.NoSilo);

        var printed = await _console.Run("crawl", "list", "--json");

        Assert.Equal(
            (ExitCode.NoSilo, "", """{"error":"No silo of cluster \"dev\" was reached at 127.0.0.1:30000."}""" + "\n"),
            (printed.Code, printed.Output, printed.Error)
        );
    }

    [Fact]
    public async Task AFailureOfTheClusterIsASentenceWithoutAStackTrace()
    {
        _console.Keep(ConsoleInMemory.Crawl()).OnLook = _ => throw new InvalidOperationException("The disk\nis full.");

        var printed = await _console.Run("crawl", "show", "shop");

        Assert.Equal((ExitCode.Failed, "It failed: The disk is full.\n"), (printed.Code, printed.Error));
    }

    [Fact]
    public async Task ASiloThatGoesAwayBeforeItAnswersIsExitCodeThree()
    {
        _console.Keep(ConsoleInMemory.Crawl()).OnLook = _ =>
            throw new SiloUnavailableException("S127.0.0.1:11111:1 is gone, and much more that nobody wants to read.");

        var printed = await _console.Run("crawl", "show", "shop");

        Assert.Equal(
            (
                ExitCode.NoSilo,
                "The silo went away before it answered. Nothing is known of what became of \"crawl show\": look before you repeat it.\n"
            ),
            (printed.Code, printed.Error)
        );
    }

    [Fact]
    public async Task AReadWhoseSiloGoesAwayIsAskedAgainAndSaysSoOnce()
    {
        _console.Pace = _console.Pace with { Repeat = TimeSpan.FromMinutes(1) };
        _console.Keep(ConsoleInMemory.Crawl()).OnLook = look =>
        {
            if (look < 2)
            {
                throw look == 0 ? new SiloUnavailableException("It is gone.") : new TimeoutException("It does not answer.");
            }
        };
        _console.OnOpen = open =>
        {
            if (open == 1)
            {
                throw new ConsoleException("No silo was reached.", ExitCode.NoSilo);
            }
        };

        var printed = await _console.Run("crawl", "show", "shop", "--json");

        Assert.Equal(
            (ExitCode.Done, 1, "A silo went away before it answered. The question is asked again for up to 60 s.\n", 4),
            (printed.Code, printed.Lines.Length, printed.Error, _console.Opens)
        );
    }

    [Fact]
    public async Task AReadIsGivenUpWhenNoSiloComesBackInTime()
    {
        _console.Pace = _console.Pace with { Repeat = TimeSpan.FromMinutes(1) };
        _console.Keep(ConsoleInMemory.Crawl()).OnLook = _ =>
        {
            _console.Clock.Advance(TimeSpan.FromSeconds(20));
            throw new SiloUnavailableException("It is gone.");
        };

        var printed = await _console.Run("crawl", "show", "shop");

        Assert.Equal((ExitCode.NoSilo, "", 4), (printed.Code, printed.Output, _console.Opens));
        Assert.EndsWith("look before you repeat it.\n", printed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AReadThatHasPrintedAPartIsNotRepeated()
    {
        _console.Pace = _console.Pace with { Repeat = TimeSpan.FromMinutes(1) };
        var crawl = _console.Keep(ConsoleInMemory.Crawl());
        crawl.ExportPages.AddRange([
            [ConsoleInMemory.Page("http://a.example/1")],
            [ConsoleInMemory.Page("http://a.example/2")],
        ]);
        crawl.OnExport = page =>
        {
            if (page == 1)
            {
                throw new SiloUnavailableException("It is gone.");
            }
        };

        var printed = await _console.Run("crawl", "export", "shop");

        Assert.Equal((ExitCode.NoSilo, 1, 1), (printed.Code, printed.Lines.Length, _console.Opens));
    }

    [Fact]
    public async Task AVerbThatChangesSomethingIsNotRepeated()
    {
        _console.Pace = _console.Pace with { Repeat = TimeSpan.FromMinutes(1) };
        _console.Keep(ConsoleInMemory.Crawl()).OnControl = () => throw new SiloUnavailableException("It is gone.");

        var printed = await _console.Run("crawl", "pause", "shop");

        Assert.Equal((ExitCode.NoSilo, 1), (printed.Code, _console.Opens));
    }

    [Fact]
    public async Task ASiloThatDoesNotAnswerInTimeIsAFailure()
    {
        _console.Keep(ConsoleInMemory.Crawl()).OnLook = _ =>
            throw new TimeoutException("Response did not arrive on time in 00:00:30 for message: Request …");

        var printed = await _console.Run("crawl", "show", "shop");

        Assert.Equal(
            (
                ExitCode.Failed,
                "The silo did not answer in time; \"cluster status\" shows how it is. Nothing is known of what became of "
                    + "\"crawl show\": look before you repeat it.\n"
            ),
            (printed.Code, printed.Error)
        );
    }

    [Fact]
    public async Task ClusterStatusShowsSilosActivationsAndBytes()
    {
        _console.Cluster.Shown = new(
            "dev",
            "0.1.0",
            [new("127.0.0.1:11111", "127.0.0.1:30000", "silo-0", "Active", ConsoleInMemory.Start.AddMinutes(-3))],
            [new("host", 12), new("url", 3400)],
            [new("crawling", 1536)],
            "Local"
        );

        Assert.Equal(
            """
            Cluster dev, version 0.1.0

            silo    status  address          gateway              up for
            silo-0  Active  127.0.0.1:11111  127.0.0.1:30000  3 min 00 s

            grain type  activations
            host                 12
            url               3,400

            storage (Local)    size
            crawling         1.5 KB

            """,
            (await _console.Run("cluster", "status")).Output
        );
        Assert.Equal(
            """{"clusterId":"dev","version":"0.1.0","silos":[{"address":"127.0.0.1:11111","gateway":"127.0.0.1:30000","name":"silo-0","status":"Active","startedAt":"2026-03-01T11:57:00+00:00"}],"activations":[{"grainType":"host","count":12},{"grainType":"url","count":3400}],"storage":[{"system":"crawling","bytes":1536}],"storageKind":"Local","health":[]}"""
                + "\n",
            (await _console.Run("cluster", "status", "--json")).Output
        );
    }

    [Fact]
    public async Task TextFromTheWebCannotSteerTheTerminal()
    {
        _console.Keep(ConsoleInMemory.Crawl()).Explanation = new(
            "http://a.example/",
            "fetched",
            [new("title", "a\u001b]0;owned\u0007[red]b")]
        );
        _console.IsTerminal = true;

        var printed = await _console.Run("crawl", "explain", "shop", "http://a.example/");

        Assert.Contains("a\uFFFD]0;owned\uFFFD[red]b", printed.Output, StringComparison.Ordinal);
    }
}
