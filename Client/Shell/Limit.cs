using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Client.Shell;

/// <summary>The option <c>--limit</c> of a verb that lists: how many entries it shows at most.</summary>
internal sealed class Limit
{
    /// <summary>Entries, where a verb has no other default.</summary>
    public const int Usual = 50;

    private readonly int _most;

    /// <param name="things">What is listed, in the plural.</param>
    /// <param name="usual">Without the option.</param>
    /// <param name="most">The largest number that is taken.</param>
    /// <param name="aliases">Other names of the option, of earlier versions.</param>
    public Limit(string things, int usual = Usual, int most = int.MaxValue, params string[] aliases)
    {
        _most = most;
        Option = new("--limit", aliases)
        {
            Description = $"Show so many {things} at most{(most == int.MaxValue ? "" : $", up to {most}")}.",
            HelpName = "N",
            DefaultValueFactory = _ => usual,
            CustomParser = Read,
        };
    }

    public Option<int> Option { get; }

    public static implicit operator Option<int>(Limit limit) => limit.Option;

    public int Of(ParseResult parsed) => parsed.GetValue(Option);

    private int Read(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit >= 1 && limit <= _most)
        {
            return limit;
        }

        result.AddError($"--limit is a whole number, {(_most == int.MaxValue ? "1 or more" : $"1 to {_most}")}; this is \"{text}\"");
        return default;
    }
}

/// <summary>How a list ended. For programs it is the member <c>end</c> of the last object.</summary>
/// <param name="Count">Entries that were shown.</param>
/// <param name="Total">Entries that there are; null when nobody counted them.</param>
/// <param name="More">Something was cut off.</param>
/// <param name="After">What <c>--after</c> takes to go on; null at the end, and where a verb cannot go on.</param>
internal sealed record ListEnd(int Count, long? Total, bool More, string? After)
{
    /// <summary>Of a list that is known whole, of which the first are shown.</summary>
    public static ListEnd Of(int all, int limit) => new(Math.Min(all, limit), all, all > limit, After: null);

    /// <summary>Of a list that is read in pages.</summary>
    /// <param name="count">Entries that were shown.</param>
    /// <param name="after">To go on with; null when that was the last.</param>
    public static ListEnd Of(int count, string? after) => new(count, after is null ? count : null, after is not null, after);

    /// <summary>The same list, of which it is known that more was there and not how much.</summary>
    public ListEnd Cut() => this with { Total = null, More = true };

    /// <summary>What was cut off, and how to see it.</summary>
    /// <param name="things">What is listed, in the plural.</param>
    public string Sentence(string things)
    {
        var rest =
            Total is { } total ? string.Create(CultureInfo.InvariantCulture, $" of {total:N0}: --limit {total} shows all.")
            : After is { } after ? $": go on with --after {after}, or see more with --limit."
            : ", and there are more: --limit shows them.";
        return string.Create(CultureInfo.InvariantCulture, $"The list of {things} ends after {Count:N0}{rest}");
    }
}
