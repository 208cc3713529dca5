namespace Client.Shell;

/// <summary>Ends a verb: the message is the sentence that is shown, the code is what the shell gets.</summary>
internal sealed class ConsoleException(string sentence, int exitCode = ExitCode.Failed, Exception? cause = null)
    : Exception(sentence, cause)
{
    public int Code => exitCode;
}
