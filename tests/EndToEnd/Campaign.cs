using System.Globalization;
using System.Text;

namespace EndToEnd;

/// <summary>
/// Faults that are done again and again under load, each time counted against a ledger outside the silo. Three rounds by default;
/// <c>.ci/long</c> does many.
/// Tests of a campaign carry the trait <c>Kind=Campaign</c>.
/// </summary>
internal static class Campaign
{
    public const string Kind = "Kind";
    public const string Name = "Campaign";

    private const int UsualRounds = 3;

    /// <param name="variable">The environment variable that says how many.</param>
    public static int Rounds(string variable, int most) =>
        Math.Clamp(int.Parse(Environment.GetEnvironmentVariable(variable) ?? $"{UsualRounds}", CultureInfo.InvariantCulture), 1, most);

    /// <summary>
    /// Adds to the report of faults: a file <c>NAME.md</c> with a heading, a sentence and a table, in the folder that <c>FAULTS_REPORT</c>
    /// names; nothing where it names none.
    /// </summary>
    /// <param name="done">What was done how often, as a sentence.</param>
    /// <param name="counts">What was counted.</param>
    public static void Report(string name, string heading, string done, params IReadOnlyList<(string What, long Count)> counts)
    {
        if (Environment.GetEnvironmentVariable("FAULTS_REPORT") is not { Length: > 0 } folder)
        {
            return;
        }

        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"## {heading}\n\n{done}\n\n| counted | |\n|---|--:|\n");
        foreach (var (what, count) in counts)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {what} | {count:#,0} |\n");
        }

        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, name + ".md"), text.ToString());
    }
}
