using System.Collections.Immutable;
using System.CommandLine;
using Client.Values;
using Grains.Interfaces.Books;
using Spectre.Console;

namespace Client.Books;

/// <summary><c>ledger</c></summary>
internal static class LedgerCommand
{
    public static Command Create(Verbs verbs) =>
        verbs.Read(
            new(
                "ledger",
                "The books: in = done + refused (by reason) + waiting, a line per account. Ends with 1 when a line does not balance."
            ),
            Run
        );

    private static async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var cluster = await session.Cluster(cancel);
        var accounts = await cluster.Ledger.Read(cancel);
        Write(accounts, session.Terminal, session.Json);
        return accounts.All(account => account.Balances) ? ExitCode.Done : ExitCode.Failed;
    }

    public static void Write(ImmutableArray<Account> accounts, Terminal terminal, bool json)
    {
        if (json)
        {
            foreach (var account in accounts)
            {
                terminal.Json(AccountForm.Of(account));
            }
        }
        else if (accounts.IsEmpty)
        {
            if (!terminal.IsQuiet)
            {
                terminal.Line("The books are empty: nothing has come in yet.");
            }
        }
        else
        {
            // A sentence in a narrow column is five lines high: on a terminal the answers stand below.
            Table(accounts, withAnswers: !terminal.OutputIsTerminal).WriteTo(terminal);
            foreach (var account in accounts.Where(_ => terminal.OutputIsTerminal))
            {
                terminal.MarkupLine(
                    $"  [grey]{account.System} {account.Name}, when full: {Markup.Escape(Terminal.Clean(account.WhenFull))}[/]"
                );
            }
        }
    }

    private static Listing Table(ImmutableArray<Account> accounts, bool withAnswers)
    {
        var listing = new Listing()
            .Column("account")
            .Column("in", right: true)
            .Column("= done", right: true)
            .Column("+ refused", wrap: true)
            .Column("+ waiting", right: true)
            .Column("of at most", right: true)
            .Column("balances");
        if (withAnswers)
        {
            listing.Column("when full");
        }

        foreach (var account in accounts)
        {
            Cell[] cells =
            [
                $"{account.System} {account.Name}",
                Counts.Format(account.In),
                Counts.Format(account.Done),
                account.Refused.IsEmpty
                    ? "0"
                    : string.Join('\n', account.Refused.Select(refused => $"{Counts.Format(refused.Value)} {refused.Key}")),
                Counts.Format(account.Waiting),
                Counts.Format(account.Bound),
                account.Balances ? new("✓", "green")
                : account.Doubt is { } doubt ? new($"✗ {doubt}", "red")
                : new($"✗ {Counts.Format(account.In)} ≠ {Counts.Format(Out(account))}", "red"),
            ];
            listing.Row(withAnswers ? [.. cells, account.WhenFull] : cells);
        }

        return listing;
    }

    private static long Out(Account account) => account.Done + account.Refused.Values.Sum() + account.Waiting;
}
