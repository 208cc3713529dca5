namespace Silo.Page.Sessions;

/// <summary>What was asked for, or why there is none, a sentence.</summary>
public sealed record Answer<T>(T? Value, string? Error);

/// <summary>What became of an action, a sentence for whoever asked for it.</summary>
public sealed record ActionResult(bool Ok, string Sentence)
{
    public static ActionResult Done(string sentence) => new(true, sentence);

    public static ActionResult Refused(string sentence) => new(false, sentence);
}
