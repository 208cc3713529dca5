using Grains.Storage;

namespace Silo.Storage.Migration;

/// <summary>How data of one version becomes data of the next.</summary>
public interface IMigrationStep
{
    /// <summary>The version that it reads; it leaves the next one.</summary>
    int From { get; }

    /// <summary>What it changes, for the log: "queue rows get the crawl's depth".</summary>
    string What { get; }

    /// <summary>
    /// Changes the data. It may be killed anywhere and is then run again from its beginning, so what it has changed already it must find
    /// changed and leave so.
    /// No silo works on the data meanwhile. Reads bounded pieces, commits as it goes, and heeds <paramref name="cancel"/>: then another
    /// silo has taken over.
    /// </summary>
    Task Run(ITableStore tables, IBlobStore blobs, CancellationToken cancel);
}
