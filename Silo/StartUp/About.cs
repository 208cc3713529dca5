using System.Reflection;

namespace Silo.StartUp;

/// <summary>What this program is called, and which version it is.</summary>
public static class About
{
    public const string Name = "Orleans silo";

    public const string FrontName = "Orleans front";

    public const string Purpose =
        "one process of a cluster that crawls web sites with virtual actors, and loses nothing of what it took on.";

    /// <summary>The version without the commit: <c>0.1.0</c>.</summary>
    public static string Version { get; } =
        (typeof(About).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+')[0];
}
