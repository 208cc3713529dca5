namespace Client.Demo;

/// <summary>Finds the silo that the demo starts as a process of its own: the console does not carry one.</summary>
internal static class SiloProgram
{
    /// <summary>The silo's assembly, which <c>dotnet</c> runs.</summary>
    public const string FileName = "Silo.dll";

    /// <summary>Where the service of <c>infra/</c> is installed.</summary>
    private const string Installed = "/opt/orleans-silo";

    /// <summary>
    /// Looks where <paramref name="named"/> says; without it beside the console, in the output of the silo's project when the console runs
    /// in a
    /// checkout, and where the service is installed.
    /// </summary>
    /// <param name="console">The folder of the console's program.</param>
    /// <param name="named">A silo's assembly or its folder, as the user gave it; null when none was given.</param>
    /// <returns>The full path of the assembly.</returns>
    /// <exception cref="ConsoleException">There is none; the message says how to get one.</exception>
    public static string Find(string console, string? named = null)
    {
        if (named is not null)
        {
            var given = Path.GetFullPath(Directory.Exists(named) ? Path.Combine(named, FileName) : named);
            return File.Exists(given) ? given : throw new ConsoleException($"There is no silo at {given} (--silo).");
        }

        return Candidates(console).FirstOrDefault(File.Exists)
            ?? throw new ConsoleException(
                "The demo starts a silo of its own, and there is none beside this console. Build one in a checkout of the source "
                    + $"(dotnet build -c Release Silo) and name its folder with --silo FOLDER, or install one in {Installed}; "
                    + "or start a silo yourself and run the demo with --here."
            );
    }

    private static IEnumerable<string> Candidates(string console)
    {
        yield return Path.Combine(console, FileName);
        var output = new DirectoryInfo(Path.TrimEndingDirectorySeparator(console));
        for (var folder = output.Parent; folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Orleans.sln")))
            {
                // The console's own configuration and framework: CHECKOUT/Client/bin/Release/net10.0.
                yield return Path.Combine(folder.FullName, "Silo", "bin", output.Parent!.Name, output.Name, FileName);
            }
        }

        yield return Path.Combine(Installed, FileName);
    }
}
