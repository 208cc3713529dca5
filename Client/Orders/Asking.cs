namespace Client.Orders;

/// <summary>Asks before what cannot be taken back.</summary>
internal static class Asking
{
    /// <exception cref="ConsoleException">Nobody can be asked, or whoever was asked does not want it.</exception>
    public static void Sure(Session session, bool yes, string what, string question)
    {
        if (!yes && (!session.Terminal.OutputIsTerminal || session.Json))
        {
            throw new ConsoleException($"Nobody can be asked here: {what}, say --yes.", ExitCode.WrongUsage);
        }

        if (!yes && !session.Terminal.Confirm(question))
        {
            throw new ConsoleException("Nothing was done.");
        }
    }
}
