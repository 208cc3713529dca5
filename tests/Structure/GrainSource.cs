namespace Structure;

/// <summary>The source of one grain: all partials of its class, except the log messages (<c>*.Log.cs</c>).</summary>
/// <param name="Name">Of the class, without its namespace.</param>
/// <param name="SaysWhy">A comment above the class says why it is longer than <see cref="MaxLines"/>.</param>
public sealed record GrainSource(string Name, int Lines, bool SaysWhy)
{
    /// <summary>Lines that a grain has at most without a sentence that says why it has more.</summary>
    public const int MaxLines = 150;

    /// <summary>How that sentence begins.</summary>
    public const string Sentence = "Over 150 lines, because ";

    /// <param name="grain">The full name of the class.</param>
    /// <param name="sources">The files of the product.</param>
    public static GrainSource Of(string grain, IEnumerable<SourceFile> sources)
    {
        var name = grain[(grain.LastIndexOf('.') + 1)..];
        var files = sources
            .Where(file => file.Name == name + ".cs" || file.Name.StartsWith(name + ".", StringComparison.Ordinal))
            .Where(file => !file.Name.EndsWith(".Log.cs", StringComparison.Ordinal))
            .ToList();
        var above = files
            .Where(file => file.Name == name + ".cs")
            .SelectMany(file => file.Lines)
            .TakeWhile(line => !line.Contains(" class ", StringComparison.Ordinal));
        var comment = string.Join(
            ' ',
            above.Where(line => line.StartsWith("///", StringComparison.Ordinal)).Select(line => line[3..].Trim())
        );
        return new(name, files.Sum(file => file.Lines.Count), comment.Contains(Sentence, StringComparison.Ordinal));
    }
}
