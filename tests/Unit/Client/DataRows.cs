namespace Unit.Client;

/// <summary>Rows of a text file under tests/Data/console: two columns, parted by a tab.</summary>
internal static class DataRows
{
    public static IEnumerable<(string Left, string Right)> Read(string file) =>
        File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Data", "console", file))
            .Where(line => !line.StartsWith('#'))
            .Select(line => line.Split('\t'))
            .Select(columns => (columns[0], columns[1]));
}
