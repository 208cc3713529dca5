using System.Runtime.CompilerServices;
using Grains.Interfaces.Logs;
using Grains.Logs.Queries;
using Grains.Logs.Reading;
using Grains.Logs.Tail;
using Orleans.Placement;

namespace Grains.Logs;

/// <summary>One viewer of the live tail, at the silo where it watches.</summary>
[PreferLocalPlacement]
[GrainType("logtail")]
public sealed class LogTailGrain(LogTail tail, TimeProvider clock) : Grain, ILogTailGrain
{
    /// <summary>A page without records is sent when nothing came for so long.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    public async IAsyncEnumerable<TailPage> Watch(string query, [EnumeratorCancellation] CancellationToken cancel)
    {
        TailViewer? viewer = null;
        try
        {
            if (!LogQuery.TryParse(query, out var parsed, out var error))
            {
                yield return new(LogSearch.Nothing, 0, error.Show(query));
                yield break;
            }

            viewer = await tail.Watch(parsed, cancel);
            if (viewer is null)
            {
                yield return new(LogSearch.Nothing, 0, $"{LogTail.MaxViewers} viewers watch at this silo, which is all it has places for.");
                yield break;
            }

            yield return new(LogSearch.Nothing, 0, null);
            while (true)
            {
                await viewer.Wait(Quiet, clock, cancel);
                yield return viewer.Take();
            }
        }
        finally
        {
            if (viewer is not null)
            {
                tail.Leave(viewer);
            }

            DeactivateOnIdle();
        }
    }
}
