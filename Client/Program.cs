using System.CommandLine;
using System.Runtime.InteropServices;
using Client.Books;
using Client.Cluster;
using Client.Crawling;
using Client.Demo;
using Client.Keys;
using Client.Logs;
using Client.Orders;

namespace Client;

/// <summary>The console: one line per verb, each in a file of its own.</summary>
internal static class Program
{
    /// <summary>SIGXFSZ of Linux and macOS, which .NET has no name for.</summary>
    private const PosixSignal FileSizeLimit = (PosixSignal)25;

    public static async Task<int> Main(string[] args)
    {
        // A write beyond the shell's limit (ulimit -f) is then told like a full disk, and does not end the process without a word.
        using var limit = OperatingSystem.IsWindows()
            ? null
            : PosixSignalRegistration.Create(FileSizeLimit, signal => signal.Cancel = true);
        var verbs = new Verbs(Terminal.OfThisProcess(), ClusterConnection.Open, Environment.GetEnvironmentVariable, FollowPace.Usual);
        return await verbs.Run(Root(verbs), args);
    }

    internal static RootCommand Root(Verbs verbs) => Examples.In(Tree(verbs));

    private static RootCommand Tree(Verbs verbs) =>
        new($"The console of the cluster. {ExitCode.Meaning}")
        {
            verbs.Options.Gateway,
            verbs.Options.ClusterId,
            verbs.Options.ConnectTimeout,
            verbs.Options.Json,
            verbs.Options.Quiet,
            new Command("crawl", "Start crawls, follow them, take home what they found.")
            {
                StartCommand.Create(verbs),
                Crawling.ListCommand.Create(verbs),
                Crawling.ShowCommand.Create(verbs),
                FollowCommand.Create(verbs),
                AddCommand.Create(verbs),
                RetryCommand.Create(verbs),
                HostsCommand.Create(verbs),
                ControlCommands.Pause(verbs),
                ControlCommands.Resume(verbs),
                ControlCommands.Cancel(verbs),
                ControlCommands.Delete(verbs),
                ExportCommand.Create(verbs),
                ExplainCommand.Create(verbs),
                PageCommand.Create(verbs),
            },
            new Command("logs", "Send log records, ask for them, watch them come, say what becomes of them.")
            {
                SendCommand.Create(verbs),
                QueryCommand.Create(verbs),
                TailCommand.Create(verbs),
                StatsCommand.Create(verbs),
                SqlCommand.Create(verbs),
                new Command("rules", "What becomes of records as they come in: rules, in their order.")
                {
                    RulesListCommand.Create(verbs),
                    RulesAddCommand.Create(verbs),
                    RulesRemoveCommand.Create(verbs),
                    RulesTestCommand.Create(verbs),
                },
                LogLedgerCommand.Create(verbs),
                SizeCommand.Create(verbs),
            },
            new Command("orders", "Place orders, move them on, look at them.")
            {
                PlaceCommand.Create(verbs),
                Orders.ShowCommand.Create(verbs),
                Orders.ListCommand.Create(verbs),
                StepCommands.Pay(verbs),
                StepCommands.Ship(verbs),
                StepCommands.Complete(verbs),
                StepCommands.Cancel(verbs),
                StepCommands.Refund(verbs),
                WatchCommand.Create(verbs),
                DeliveriesCommand.Create(verbs),
                TimelineCommand.Create(verbs),
                EraseCommand.Create(verbs),
                new Command("subscribers", "Who wants to know of changes.")
                {
                    SubscriberCommands.List(verbs),
                    SubscriberCommands.Remove(verbs),
                },
                new Command("dead-letters", "Changes that a subscriber could not handle.")
                {
                    DeadLetterCommands.List(verbs),
                    DeadLetterCommands.Show(verbs),
                    DeadLetterCommands.Replay(verbs),
                    DeadLetterCommands.Discard(verbs),
                },
                new Command("preferences", "What customers want to be told.")
                {
                    PreferenceCommands.Show(verbs),
                    PreferenceCommands.Set(verbs),
                },
                new Command("suppressions", "Addresses that get no mail any more.")
                {
                    SuppressionCommands.List(verbs),
                    SuppressionCommands.Show(verbs),
                    SuppressionCommands.Remove(verbs),
                },
                new Command("webhooks", "Endpoints that are told of orders' changes.")
                {
                    WebhookCommands.Add(verbs),
                    WebhookCommands.List(verbs),
                    WebhookCommands.Show(verbs),
                    WebhookCommands.Edit(verbs),
                    WebhookCommands.Pause(verbs),
                    WebhookCommands.Resume(verbs),
                    WebhookCommands.Rotate(verbs),
                    WebhookCommands.Enable(verbs),
                    WebhookCommands.Remove(verbs),
                    WebhookCommands.Test(verbs),
                },
                new Command("audit", "What was recorded, and that it is still so.")
                {
                    AuditCommands.Head(verbs),
                    AuditCommands.Proof(verbs),
                    AuditCommands.Verify(verbs),
                    AuditCommands.Consistency(verbs),
                    AuditCommands.Checkpoint(verbs),
                    AuditCommands.Key(verbs),
                    AuditCommands.Check(verbs),
                },
            },
            LedgerCommand.Create(verbs),
            new Command("cluster", "Look at the cluster itself.")
            {
                StatusCommand.Create(verbs),
                ChainCommand.Create(verbs),
                BackupCommand.Create(verbs),
            },
            new Command("keys", "API keys, with which HTTP is opened.")
            {
                KeyCommands.Add(verbs),
                KeyCommands.List(verbs),
                KeyCommands.Revoke(verbs),
                KeyCommands.Open(verbs),
            },
            DoctorCommand.Create(verbs),
            OpenCommand.Create(verbs),
            CompletionCommand.Create(verbs),
            DemoCommand.Create(verbs),
        };
}
