using System.Diagnostics;
using System.Globalization;

/// <summary>
/// Kills the process that loads it, as <c>kill -9</c> does, at a named point: <c>FAULT_POINT=Logs/logs put/start/3</c> is the third time
/// that the activity "logs put" of the
/// source "Logs" starts. The product knows nothing of it: it only tells its steps apart for whoever traces it. The runtime looks for this
/// class, by this name, outside of any namespace.
/// </summary>
internal static class StartupHook
{
    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable("FAULT_POINT")?.Split('/') is not [var source, var step, var edge, var times])
        {
            return;
        }

        var left = int.Parse(times, CultureInfo.InvariantCulture);
        ActivitySource.AddActivityListener(
            new ActivityListener
            {
                // All of them, as whoever traces has it: some steps are told only where what led to them is.
                ShouldListenTo = static _ => true,
                Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStarted = activity => Pass(activity, "start"),
                ActivityStopped = activity => Pass(activity, "stop"),
            }
        );

        void Pass(Activity activity, string passed)
        {
            if (activity.Source.Name == source && activity.OperationName == step && passed == edge && Interlocked.Decrement(ref left) == 0)
            {
                Process.GetCurrentProcess().Kill();
                new ManualResetEvent(initialState: false).WaitOne(); // The signal is on its way; this thread goes no further.
            }
        }
    }
}
