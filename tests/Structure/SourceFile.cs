namespace Structure;

/// <summary>A source file that a person wrote.</summary>
/// <param name="Folder">Below the checkout, with its project.</param>
/// <param name="Name">Without its folder.</param>
public sealed record SourceFile(string Project, string Folder, string Name, IReadOnlyList<string> Lines)
{
    /// <summary>The source files of a project of a checkout.</summary>
    public static IEnumerable<SourceFile> In(string checkout, string project) =>
        from path in Directory.EnumerateFiles(Path.Combine(checkout, project), "*.cs", SearchOption.AllDirectories)
        let folder = Path.GetRelativePath(checkout, Path.GetDirectoryName(path)!).Replace('\\', '/')
        where !folder.Split('/').Any(part => part is "bin" or "obj")
        select new SourceFile(project, folder, Path.GetFileName(path), File.ReadAllLines(path));
}
