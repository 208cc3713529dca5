using CsCheck;
using Grains.Crawling.Urls;
using Xunit;

namespace Unit.Crawling;

public sealed class GlobTests
{
    private static readonly Gen<string> Patterns = Gen.Char["ab*?"].Array[0, 10].Select(chars => new string(chars));
    private static readonly Gen<string> Texts = Gen.Char["ab?"].Array[0, 12].Select(chars => new string(chars));

    [Fact]
    public void AGlobMatchesWhatTheDefinitionMatches() =>
        Patterns
            .Select(Texts, Gen.Bool)
            .Sample((pattern, text, ones) => new Glob(pattern, ones).IsMatch(text) == Matches(pattern, text, ones), iter: 50_000);

    private static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text, bool ones) =>
        pattern.IsEmpty ? text.IsEmpty
        : pattern[0] == '*' ? Matches(pattern[1..], text, ones) || (!text.IsEmpty && Matches(pattern, text[1..], ones))
        : !text.IsEmpty && (pattern[0] == text[0] || (ones && pattern[0] == '?')) && Matches(pattern[1..], text[1..], ones);
}
