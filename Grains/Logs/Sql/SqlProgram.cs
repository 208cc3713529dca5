using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Grains.Logs.Sql;

/// <summary>How a SQL process is started: which program, which arguments, and the few variables of its environment.</summary>
/// <param name="File">The executable.</param>
public sealed record SqlProgram(string File, IReadOnlyList<string> Arguments)
{
    /// <summary>
    /// What the runtime and its loader may need to start at all, and is handed on when this process has it; nothing else of its environment
    /// is. <c>DOTNET_ROOT</c> is set for a program
    /// that looks for an installed runtime.
    /// </summary>
    private static readonly string[] HandedOn = ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DOTNET_BUNDLE_EXTRACT_BASE_DIR", "SystemRoot"];

    /// <summary>
    /// This process's own program: an executable of its own, or the runtime's <c>dotnet</c> with this process's assembly.
    /// </summary>
    public static SqlProgram OfThisProcess()
    {
        var file = Environment.ProcessPath ?? throw new InvalidOperationException("The system does not say which program this is.");
        return Path.GetFileNameWithoutExtension(file).Equals("dotnet", StringComparison.OrdinalIgnoreCase)
            ? Of(file, Assembly.GetEntryAssembly()!.Location)
            : new(file, [SqlChild.Argument]);
    }

    /// <summary>An assembly that is run by <c>dotnet</c>.</summary>
    public static SqlProgram Of(string dotnet, string assembly) => new(dotnet, [assembly, SqlChild.Argument]);

    /// <summary>
    /// Standard input, output and error are pipes; the environment has nothing of this process's but what is needed to start.
    /// </summary>
    public ProcessStartInfo StartInfo()
    {
        var start = new ProcessStartInfo(File, Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = AppContext.BaseDirectory,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        start.Environment.Clear();
        foreach (var name in HandedOn)
        {
            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value)
            {
                start.Environment[name] = value;
            }
        }

        // …/shared/Microsoft.NETCore.App/10.0.0, unless the program brings its runtime along.
        var root = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        if (Directory.Exists(Path.Combine(root, "host", "fxr")))
        {
            start.Environment["DOTNET_ROOT"] = root;
        }

        // One small heap, no socket for diagnostic tools, and no data of cultures, which a container may lack.
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment["DOTNET_gcConcurrent"] = "0";
        start.Environment["DOTNET_GCHeapHardLimit"] = "8000000"; // Hexadecimal: 128 MiB.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1";
        return start;
    }
}
