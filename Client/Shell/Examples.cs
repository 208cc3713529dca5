using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Client.Shell;

/// <summary>An example below the help of each verb. <c>ExamplesTests</c> parses all of them.</summary>
internal static class Examples
{
    /// <summary>The name of the command, as it is installed.</summary>
    public const string Program = "balanced-books";

    /// <summary>By the verb's path, what follows the program's name.</summary>
    public static readonly IReadOnlyDictionary<string, string> All = new Dictionary<string, string>
    {
        ["crawl start"] = "crawl start https://example.org/ --name docs --max-pages 1000 --follow",
        ["crawl list"] = "crawl list --json",
        ["crawl show"] = "crawl show docs",
        ["crawl follow"] = "crawl follow docs",
        ["crawl pause"] = "crawl pause docs",
        ["crawl resume"] = "crawl resume docs",
        ["crawl cancel"] = "crawl cancel docs",
        ["crawl delete"] = "crawl delete docs --yes",
        ["crawl export"] = "crawl export docs --format csv --out docs.csv",
        ["crawl explain"] = "crawl explain docs https://example.org/about",
        ["crawl page"] = "crawl page docs https://example.org/about",
        ["crawl add"] = "crawl add docs https://example.org/blog/ https://example.org/faq",
        ["crawl hosts"] = "crawl hosts docs --limit 20",
        ["crawl retry"] = "crawl retry docs --reason timeout --follow",
        ["logs send"] = "logs send /var/log/shop/app.log --service shop --multiline --follow",
        ["logs query"] = "logs query 'service:shop severity>=warn \"timeout\"' --since 1h --limit 50",
        ["logs tail"] = "logs tail 'severity>=error'",
        ["logs stats"] = "logs stats 'service:shop' --since 1d",
        ["logs sql"] = "logs sql \"select service, count(*) from logs group by 1\" --since 1d",
        ["logs rules list"] = "logs rules list",
        ["logs rules add"] = "logs rules add 'service:shop severity<=debug => drop'",
        ["logs rules remove"] = "logs rules remove 2",
        ["logs rules test"] = "logs rules test 'service:shop => sample 10%' --since 1h",
        ["logs ledger"] = "logs ledger",
        ["logs size"] = "logs size --rate 5000 --bytes 300 --outage 30s",
        ["orders place"] = "orders place --customer ann --line tea:2:450 --key basket-17",
        ["orders show"] = "orders show 07-829w2xeh60vh99fzsr0fm7hmv9",
        ["orders list"] = "orders list --customer ann",
        ["orders pay"] = "orders pay 07-829w2xeh60vh99fzsr0fm7hmv9 --key pay-17",
        ["orders ship"] = "orders ship 07-829w2xeh60vh99fzsr0fm7hmv9",
        ["orders complete"] = "orders complete 07-829w2xeh60vh99fzsr0fm7hmv9",
        ["orders cancel"] = "orders cancel 07-829w2xeh60vh99fzsr0fm7hmv9",
        ["orders refund"] = "orders refund 07-829w2xeh60vh99fzsr0fm7hmv9",
        ["orders watch"] = "orders watch --from start --json",
        ["orders deliveries"] = "orders deliveries 07-829w2xeh60vh99fzsr0fm7hmv9",
        ["orders deliveries resend"] = "orders deliveries resend --to webhook-endpoint00 --since 2h",
        ["orders timeline"] = "orders timeline 07-829w2xeh60vh99fzsr0fm7hmv9",
        ["orders erase"] = "orders erase --customer ann --yes",
        ["orders subscribers list"] = "orders subscribers list",
        ["orders subscribers remove"] = "orders subscribers remove invoices --yes",
        ["orders dead-letters list"] = "orders dead-letters list",
        ["orders dead-letters show"] = "orders dead-letters show mail/3/1f",
        ["orders dead-letters replay"] = "orders dead-letters replay --subscriber mail",
        ["orders dead-letters discard"] = "orders dead-letters discard --reason http-410 --yes",
        ["orders preferences show"] = "orders preferences show ann",
        ["orders preferences set"] = "orders preferences set ann --mail paid,shipped",
        ["orders suppressions list"] = "orders suppressions list",
        ["orders suppressions show"] = "orders suppressions show ann@example.org",
        ["orders suppressions remove"] = "orders suppressions remove ann@example.org",
        ["orders webhooks add"] = "orders webhooks add https://example.org/hooks --events placed,paid",
        ["orders webhooks list"] = "orders webhooks list",
        ["orders webhooks show"] = "orders webhooks show endpoint00",
        ["orders webhooks edit"] = "orders webhooks edit endpoint00 --events paid,shipped --rate 5 --grace 48h",
        ["orders webhooks pause"] = "orders webhooks pause endpoint00",
        ["orders webhooks resume"] = "orders webhooks resume endpoint00",
        ["orders webhooks rotate"] = "orders webhooks rotate endpoint00",
        ["orders webhooks enable"] = "orders webhooks enable endpoint00",
        ["orders webhooks remove"] = "orders webhooks remove endpoint00 --yes",
        ["orders webhooks test"] = "orders webhooks test endpoint00",
        ["orders audit head"] = "orders audit head --out head.json",
        ["orders audit proof"] = "orders audit proof 07-829w2xeh60vh99fzsr0fm7hmv9 > proof.json",
        ["orders audit consistency"] = "orders audit consistency monday.json tuesday.json > consistency.json",
        ["orders audit checkpoint"] = "orders audit checkpoint 0",
        ["orders audit key"] = "orders audit key > key.pem",
        ["orders audit check"] = "orders audit check proof.json --key key.pem",
        ["orders audit verify"] = "orders audit verify --against head.json",
        ["ledger"] = "ledger --json",
        ["cluster status"] = "cluster status --gateway 10.0.0.4:30000",
        ["cluster chain"] = "cluster chain",
        ["cluster backup"] = "cluster backup /backup/2026-11-30",
        ["keys add"] = "keys add ci --role writer",
        ["keys list"] = "keys list",
        ["keys revoke"] = "keys revoke ci",
        ["keys open"] = "keys open --yes",
        ["demo"] = "demo",
        ["doctor"] = "doctor",
        ["open"] = "open crawl docs",
        ["completion"] = "completion bash >> ~/.bashrc",
    };

    /// <summary>The verb's words, parted by spaces; empty for the root.</summary>
    public static string PathOf(Command command)
    {
        var names = new Stack<string>();
        for (var at = command; at is not RootCommand; at = at.Parents.OfType<Command>().First())
        {
            names.Push(at.Name);
        }

        return string.Join(' ', names);
    }

    /// <summary>Makes the help of every verb end with its example.</summary>
    public static RootCommand In(RootCommand root)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExample((HelpAction)help.Action!);
        return root;
    }

    private sealed class HelpWithExample(HelpAction usual) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var code = usual.Invoke(parseResult);
            if (All.TryGetValue(PathOf(parseResult.CommandResult.Command), out var example))
            {
                parseResult.InvocationConfiguration.Output.WriteLine($"Example:{Environment.NewLine}  {Program} {example}");
                parseResult.InvocationConfiguration.Output.WriteLine();
            }

            return code;
        }
    }
}
