using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Grains.Logs.Sql;

/// <summary>
/// The process that runs users' statements: the silo's own executable with <see cref="Argument"/> as its first. It reads requests from its
/// standard input and answers on its standard output
/// (<see cref="SqlFrames"/>), one after the other, and has nothing else open. It ends at once when its input ends: whoever started it is
/// gone.
/// </summary>
public static class SqlChild
{
    /// <summary>The first argument, which is looked at before any host is built.</summary>
    public const string Argument = "sql-process";

    /// <summary>Bytes of a request: a statement, and the paths of all segments.</summary>
    public const int MaxRequestBytes = 64 * 1024 * 1024;

    /// <summary>Ends with this code after a statement that left it too large for another.</summary>
    public const int TooLargeForAnother = 0;

    /// <summary>What came in was no request.</summary>
    private const int NotUnderstood = 2;

    public static bool IsAsked(IReadOnlyList<string> args) => args is [Argument, ..];

    /// <summary>Runs statements until its input ends.</summary>
    /// <returns>The exit code.</returns>
    public static int Run()
    {
        // Its parent decides when it ends, not who signals the whole group from a terminal or a service manager.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, static signal => signal.Cancel = true);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, static signal => signal.Cancel = true);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, static signal => signal.Cancel = true);
        ProcessLimits.BeExpendable();
        SqlWorker.WarmUp();
        using var requests = new BlockingCollection<SqlRequest>(boundedCapacity: 1);
        var reader = new Thread(() => Read(requests)) { IsBackground = true, Name = "SQL requests" };
        reader.Start();
        using var output = new BufferedStream(Console.OpenStandardOutput(), 64 * 1024);
        Ready(output);
        foreach (var request in requests.GetConsumingEnumerable())
        {
            ProcessLimits.LowerData(request.DataBytes);
            SqlWorker.Answer(request, output);
            // Allocators keep what they had: the next statement would find that much less.
            if (ProcessLimits.Data() > request.DataBytes - request.Memory)
            {
                return TooLargeForAnother;
            }

            Ready(output);
        }

        return NotUnderstood;
    }

    private static void Ready(BufferedStream output)
    {
        SqlFrames.Write(output, SqlFrameKind.Ready, []);
        output.Flush();
    }

    /// <summary>On a thread of its own, so that the end of the input is noticed while a statement runs.</summary>
    private static void Read(BlockingCollection<SqlRequest> requests)
    {
        try
        {
            using var input = Console.OpenStandardInput();
            while (SqlFrames.Read(input, MaxRequestBytes).AsTask().GetAwaiter().GetResult() is { Kind: SqlFrameKind.Request } frame)
            {
                requests.Add(frame.Read(SqlJson.Default.SqlRequest));
            }

            // Nobody is there to hear an answer, and a statement that cannot be interrupted does not hear anything: no tidying up.
            Process.GetCurrentProcess().Kill();
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException)
        {
            Console.Error.WriteLine(failure.Message);
            requests.CompleteAdding();
        }
    }
}
