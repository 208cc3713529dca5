namespace Grains.Storage;

/// <summary>Rows that go into one commit together, with nothing to decide while it is filled.</summary>
public sealed class RowWork(IReadOnlyList<RowChange> rows) : IPartitionWork
{
    private readonly int _bytes = rows.Sum(row => row.Payload.Length);

    /// <summary>False while there is no room for all of them, or one of them is changed in this commit already.</summary>
    public bool Fill(CommitBuilder commit)
    {
        if (!commit.HasRoom(rows.Count, _bytes) || rows.Any(row => commit.Has(row.Key)))
        {
            return false;
        }

        foreach (var row in rows)
        {
            commit.Add(row);
        }

        return true;
    }
}
