using System.Collections.Immutable;
using Grains.Interfaces.Books;
using Xunit;

namespace Unit.Client;

public sealed class LedgerTests
{
    private readonly ConsoleInMemory _console = new();

    private static readonly Account Balanced = new(
        "crawling",
        "urls",
        1234,
        1200,
        ImmutableSortedDictionary<string, long>.Empty.Add("robots", 20).Add("timeout", 4),
        10,
        5_000_000,
        "New URLs are refused as host-full."
    );

    [Fact]
    public async Task EachAccountIsALineWithItsReasons()
    {
        _console.Cluster.Accounts.Add(Balanced);

        var printed = await _console.Run("ledger");

        Assert.Equal(ExitCode.Done, printed.Code);
        Assert.Equal(
            [
                "account           in  = done  + refused             + waiting  of at most  balances  when full",
                "crawling urls  1,234   1,200  20 robots, 4 timeout         10   5,000,000  ✓         New URLs are refused as host-full.",
            ],
            printed.Lines
        );
    }

    [Fact]
    public async Task ForProgramsAnAccountIsOneObjectALine()
    {
        _console.Cluster.Accounts.Add(Balanced);
        _console.Cluster.Accounts.Add(Balanced with { Name = "pages", Waiting = 11 });

        var printed = await _console.Run("ledger", "--json");

        Assert.Equal(
            """{"system":"crawling","account":"urls","in":1234,"done":1200,"refused":{"robots":20,"timeout":4},"waiting":10,"bound":5000000,"whenFull":"New URLs are refused as host-full.","balances":true,"doubt":null}"""
                + "\n"
                + """{"system":"crawling","account":"pages","in":1234,"done":1200,"refused":{"robots":20,"timeout":4},"waiting":11,"bound":5000000,"whenFull":"New URLs are refused as host-full.","balances":false,"doubt":null}"""
                + "\n",
            printed.Output
        );
    }

    [Fact]
    public async Task ALineThatDoesNotBalanceFails()
    {
        _console.Cluster.Accounts.Add(Balanced);
        _console.Cluster.Accounts.Add(Balanced with { Name = "pages", Waiting = 11 });

        var printed = await _console.Run("ledger");

        Assert.Equal(ExitCode.Failed, printed.Code);
        Assert.Contains("  ✗ 1,234 ≠ 1,235  ", printed.Lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task BooksInDoubtDoNotBalanceAlthoughTheirSumsAgree()
    {
        _console.Cluster.Accounts.Add(Balanced with { Doubt = "mail is halted." });

        var printed = await _console.Run("ledger");

        Assert.Equal(ExitCode.Failed, printed.Code);
        Assert.Contains("  ✗ mail is halted.  ", printed.Lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task EmptyBooksAreASentence()
    {
        Assert.Equal("The books are empty: nothing has come in yet.\n", (await _console.Run("ledger")).Output);
        Assert.Equal("", (await _console.Run("ledger", "--json")).Output);
    }
}
