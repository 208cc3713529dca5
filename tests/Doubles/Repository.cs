namespace Doubles;

/// <summary>The checkout that the running tests were built in.</summary>
public static class Repository
{
    /// <summary>Its folder, in which <c>Orleans.sln</c> is.</summary>
    /// <exception cref="InvalidOperationException">The tests run outside of a checkout.</exception>
    public static string Folder { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Orleans.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException($"There is no Orleans.sln above {AppContext.BaseDirectory}.");
        }

        return folder.FullName;
    }
}
