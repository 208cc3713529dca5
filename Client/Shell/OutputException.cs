namespace Client.Shell;

/// <summary>What a verb had to say could not be written: the disk is full, a limit is reached, the output is closed.</summary>
internal sealed class OutputException(Exception cause)
    : Exception($"The output cannot be written: {(cause is ArgumentOutOfRangeException ? "File too large" : cause.Message)}", cause)
{
    /// <summary>EPIPE, on Linux and macOS.</summary>
    private const int BrokenPipe = 32;

    /// <summary>ERROR_BROKEN_PIPE and ERROR_NO_DATA of Windows, as results.</summary>
    private const int PipeEnded = unchecked((int)0x8007006D);
    private const int PipeClosing = unchecked((int)0x800700E8);

    /// <summary>Whether whoever read has gone, as <c>head</c> does. That alone is no failure.</summary>
    public static bool IsClosedPipe(Exception failure) => failure is IOException { HResult: BrokenPipe or PipeEnded or PipeClosing };
}
