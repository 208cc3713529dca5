namespace Unit.Logs;

/// <summary>Rows of a text file under tests/Data/logs: columns parted by a tab; lines that begin with # explain.</summary>
internal static class LogRows
{
    public static IEnumerable<string[]> Read(string file) =>
        File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Data", "logs", file))
            .Where(line => line.Length > 0 && !line.StartsWith('#'))
            .Select(line => line.Split('\t'));
}
