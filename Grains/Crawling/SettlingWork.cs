using Grains.Storage;

namespace Grains.Crawling;

/// <summary>Work after which something is to be done in memory, in the same moment in which all of it is durable.</summary>
internal sealed class SettlingWork(IPartitionWork work, Action whenDurable) : IPartitionWork
{
    public bool Fill(CommitBuilder commit)
    {
        if (!work.Fill(commit))
        {
            return false;
        }

        commit.WhenCommitted(whenDurable);
        return true;
    }
}
