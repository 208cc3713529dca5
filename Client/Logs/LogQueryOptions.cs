using System.CommandLine;

namespace Client.Logs;

/// <summary>Arguments that several verbs of the logs share.</summary>
internal static class LogQueryOptions
{
    public static Argument<string> Query() =>
        new("query")
        {
            Description =
                "In the language of queries, in quotes: service:checkout severity>=warn \"timeout\" user.id:42. Nothing: every record.",
            DefaultValueFactory = _ => "",
        };

    public static Option<string?> Since(string otherwise) =>
        new("--since")
        {
            Description =
                $"Records of this time and after: how long ago (15m, 2h, 7d), or a time such as 2026-11-23T10:00:00Z. [default: "
                + $"{otherwise}]",
            HelpName = "TIME",
        };

    public static Option<string?> Until() =>
        new("--until") { Description = "Records before this time. [default: now and what is to come]", HelpName = "TIME" };
}
