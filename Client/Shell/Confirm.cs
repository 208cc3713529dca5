namespace Client.Shell;

/// <summary>Asks a person before something that cannot be taken back.</summary>
internal static class Confirm
{
    /// <param name="session">Its terminal asks; with <c>--json</c> or without a terminal nobody is asked.</param>
    /// <param name="yes">The person said <c>--yes</c>: nobody is asked.</param>
    /// <param name="what">What is to be done, as "to remove webhook X".</param>
    /// <param name="question">The whole question.</param>
    /// <param name="cancel">Ctrl-C answers no at once.</param>
    /// <exception cref="ConsoleException">
    /// Nobody can be asked (exit code 2), the answer was no (1), or it was Ctrl-C (130). Nothing was done.
    /// </exception>
    public static async Task Ask(Session session, bool yes, string what, string question, CancellationToken cancel)
    {
        if (yes)
        {
            return;
        }

        if (!session.CanAsk)
        {
            throw new ConsoleException($"Nobody can be asked here: {what}, say --yes.", ExitCode.WrongUsage);
        }

        try
        {
            if (await session.Terminal.Confirm(question, cancel))
            {
                return;
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            session.Terminal.Note("");
            throw new ConsoleException("Nothing was done.", ExitCode.Interrupted);
        }

        throw new ConsoleException("Nothing was done.");
    }
}
