namespace Doubles;

/// <summary>
/// Runs code as a grain does: whatever it begins and awaits goes on in turns, never on two threads at once. For classes that belong to a
/// grain and are not thread-safe.
/// </summary>
public static class Turns
{
    public static Task Run(Func<Task> body) =>
        Task
            .Factory.StartNew(
                body,
                CancellationToken.None,
                TaskCreationOptions.None,
                new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler
            )
            .Unwrap();
}
