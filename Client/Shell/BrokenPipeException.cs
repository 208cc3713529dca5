namespace Client.Shell;

/// <summary>Whoever read the output has gone, as <c>head</c> does: the verb ends quietly.</summary>
internal sealed class BrokenPipeException(Exception cause) : Exception("Nobody reads the output any more.", cause);
