using System.Diagnostics;
using Xunit;

namespace Doubles;

/// <summary>
/// Waits of tests on real time. Their bound is for a hang and not for slowness: a test says what it waits for, never how long that may
/// take. What is promised in seconds is measured in
/// <c>tests/Benchmarks</c>.
/// </summary>
public static class Wait
{
    /// <summary>Between two questions about what nothing tells of.</summary>
    private static readonly TimeSpan BetweenQuestions = TimeSpan.FromMilliseconds(20);

    /// <summary>Longer than anything here takes on the busiest machine.</summary>
    public static TimeSpan HangBound { get; } = TimeSpan.FromMinutes(5);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Ends as the task does.</summary>
    /// <param name="what">What is waited for, as in "waited for the silo to be ready".</param>
    /// <param name="state">What is known, for the message of a test that fails.</param>
    public static async Task For(Task task, string what, Func<string>? state = null)
    {
        try
        {
            await task.WaitAsync(HangBound, Cancel);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            Assert.Fail(Hang(what, state));
        }
    }

    /// <inheritdoc cref="For(Task, string, Func{string}?)"/>
    public static async Task<T> For<T>(Task<T> task, string what, Func<string>? state = null)
    {
        await For((Task)task, what, state);
        return await task;
    }

    /// <summary>
    /// Asks again and again whether it is so: for what nothing outside tells of when it happens. Where there is an event,
    /// <see cref="For(Task, string, Func{string}?)"/> waits for it.
    /// </summary>
    /// <inheritdoc cref="For(Task, string, Func{string}?)"/>
    public static async Task Until(Func<Task<bool>> isSo, string what, Func<string>? state = null)
    {
        var since = Stopwatch.GetTimestamp();
        while (!await For(isSo(), what, state))
        {
            if (Stopwatch.GetElapsedTime(since) > HangBound)
            {
                Assert.Fail(Hang(what, state));
            }

            await Task.Delay(BetweenQuestions, Cancel);
        }
    }

    /// <inheritdoc cref="Until(Func{Task{bool}}, string, Func{string}?)"/>
    public static Task Until(Func<bool> isSo, string what, Func<string>? state = null) => Until(() => Task.FromResult(isSo()), what, state);

    private static string Hang(string what, Func<string>? state) =>
        $"{HangBound.TotalMinutes:0} minutes went by while the test waited for "
        + $"{what}.{(state is null ? "" : Environment.NewLine + state())}";
}
