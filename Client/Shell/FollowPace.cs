namespace Client.Shell;

/// <param name="Look">Between two looks at the crawl.</param>
/// <param name="Retry">Between two attempts to find a silo again.</param>
/// <param name="Answer">After this without an answer the silo counts as lost.</param>
/// <param name="Say">Between two lines about how far it is, where nobody sees a picture of it.</param>
/// <param name="Repeat">For so long a question is repeated whose silo went away; zero: it is not.</param>
internal sealed record FollowPace(TimeSpan Look, TimeSpan Retry, TimeSpan Answer, TimeSpan Say = default, TimeSpan Repeat = default)
{
    public static readonly FollowPace Usual = new(
        Look: TimeSpan.FromMilliseconds(500),
        Retry: TimeSpan.FromMilliseconds(500),
        Answer: TimeSpan.FromSeconds(15),
        Say: TimeSpan.FromSeconds(5),
        Repeat: TimeSpan.FromMinutes(1)
    );
}
