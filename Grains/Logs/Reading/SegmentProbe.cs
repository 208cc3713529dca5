using System.Collections.Immutable;
using DuckDB.NET.Data;
using Grains.Interfaces.Logs;
using Grains.Logs.Queries;
using Grains.Logs.Segments;

namespace Grains.Logs.Reading;

/// <param name="Path">The place in the list of files.</param>
/// <param name="Reason">What is wrong with the file, as the end of a sentence that begins with its name.</param>
public readonly record struct UnreadablePath(int Path, string Reason);

/// <summary>Finds out which files made a read fail. It is asked after a failure only: a file is looked through as a whole.</summary>
internal static class SegmentProbe
{
    /// <summary>How DuckDB's messages begin when a file may be what is wrong and none is named.</summary>
    private static readonly ImmutableArray<string> OfFiles =
    [
        "IO Error",
        "Invalid Error",
        "INTERNAL Error",
        "FATAL Error",
        "Serialization Error",
    ];

    /// <summary>Whether the files may be what is wrong, and not the statement alone.</summary>
    public static bool MayBeOfFiles(DuckDBException failure, IReadOnlyList<string> paths) =>
        OfFiles.Any(start => failure.Message.StartsWith(start, StringComparison.Ordinal))
        || paths.Any(path => failure.Message.Contains(path, StringComparison.Ordinal));

    /// <summary>What a failed read means for the segments that it read.</summary>
    /// <returns>To be thrown; null when it was not for want of them.</returns>
    public static SegmentsUnreadableException? Explain(
        DuckDBException failure,
        IReadOnlyList<LogSegment> segments,
        SegmentFiles files,
        long memory,
        CancellationToken stop
    )
    {
        ImmutableArray<SegmentFault> missing =
        [
            .. segments.Zip(files.Paths).Where(file => !File.Exists(file.Second)).Select(file => SegmentFault.Missing(file.First.Name)),
        ];
        return missing.IsEmpty ? Damaged(Unreadable(files.Paths, memory, stop), segments, files, failure) : new(missing, failure);
    }

    /// <summary>What is to be thrown of files that were found to be damaged; null when there are none.</summary>
    public static SegmentsUnreadableException? Damaged(
        ImmutableArray<UnreadablePath> unreadable,
        IReadOnlyList<LogSegment> segments,
        SegmentFiles files,
        Exception? failure = null
    ) =>
        unreadable.IsEmpty
            ? null
            : new([.. unreadable.Select(file => new SegmentFault(segments[file.Path].Name, file.Reason, MayPass: files.IsCopy))], failure);

    /// <summary>The files that cannot be read; empty when all can.</summary>
    /// <param name="memory">Bytes that the database may take.</param>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> said so.</exception>
    public static ImmutableArray<UnreadablePath> Unreadable(IReadOnlyList<string> paths, long memory, CancellationToken stop)
    {
        var unreadable = ImmutableArray.CreateBuilder<UnreadablePath>();
        DuckSession? session = null;
        try
        {
            for (var path = 0; path < paths.Count; path++)
            {
                session ??= DuckSession.ForConditions(memory);
                if (Fault(session, paths[path], stop) is { } reason)
                {
                    unreadable.Add(new(path, reason));
                    session.Dispose(); // A failure may have made the whole database invalid.
                    session = null;
                }
            }
        }
        finally
        {
            session?.Dispose();
        }

        return unreadable.DrainToImmutable();
    }

    private static string? Fault(DuckSession session, string path, CancellationToken stop)
    {
        var file = $"read_parquet([{LogSql.Literal(DuckSession.Escaped(path))}])";
        try
        {
            var columns = session.Read(
                $"DESCRIBE SELECT * FROM {file}",
                reader =>
                {
                    var found = new List<(string, string)>();
                    while (reader.Read())
                    {
                        found.Add((reader.GetString(0), reader.GetString(1)));
                    }

                    return found;
                },
                stop
            );
            if (!columns.SequenceEqual(SegmentSchema.Names.Select(name => (name, SegmentSchema.DuckType(name)))))
            {
                return "has other columns than a segment";
            }

            _ = session.Read($"SELECT bit_xor(hash(COLUMNS(*))) FROM {file}", reader => reader.Read(), stop);
            return null;
        }
        catch (DuckDBException)
        {
            return SegmentFault.Damaged;
        }
    }
}
