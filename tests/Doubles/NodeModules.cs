using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace Doubles;

/// <summary>Node or a package of it cannot be had: whoever runs the tests must install it.</summary>
public sealed class NodeMissingException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Programs for Node that a folder below <c>tests</c> pins; what they need is installed there at the first use.</summary>
public static class NodeModules
{
    /// <summary>The folder, with everything in it installed.</summary>
    /// <exception cref="NodeMissingException">Node or a package cannot be had.</exception>
    public static async Task<string> Installed(string name, CancellationToken cancel)
    {
        var home = Home(name);
        using var alone = await Alone(Path.Combine(Path.GetTempPath(), $"{name}-install-{Environment.UserName}.lock"));
        var wanted = new FileInfo(Path.Combine(home, "package-lock.json"));
        var installed = new FileInfo(Path.Combine(home, "node_modules", ".package-lock.json"));
        if (installed.Exists && installed.LastWriteTimeUtc >= wanted.LastWriteTimeUtc)
        {
            return home;
        }

        using var npm = Run(
            new ProcessStartInfo("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
            {
                WorkingDirectory = home,
            }
        );
        await Wait.For(npm.WaitForExitAsync(cancel), $"'npm ci' in tests/{name} to end");
        return npm.ExitCode == 0
            ? home
            : throw new NodeMissingException(
                $"\"npm ci\" in tests/{name} ended with code {npm.ExitCode}: what it needs cannot be installed here."
            );
    }

    public static Process Run(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            throw new NodeMissingException($"\"{start.FileName}\" is not installed; this needs Node 20 or later.", missing);
        }
    }

    /// <summary>What the folder's <c>read.js</c> prints: an object a line.</summary>
    /// <param name="input">Given to it as standard input.</param>
    public static async Task<List<JsonElement>> Read(string name, string[] args, string input, CancellationToken cancel)
    {
        var home = await Installed(name, cancel);
        using var node = Run(
            new ProcessStartInfo("node", [Path.Combine(home, "read.js"), .. args])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            }
        );
        var printed = node.StandardOutput.ReadToEndAsync(cancel);
        await node.StandardInput.WriteAsync(input.AsMemory(), cancel);
        node.StandardInput.Close();
        await Wait.For(node.WaitForExitAsync(cancel), "the reader to end");
        Assert.Equal(0, node.ExitCode);
        return [.. (await printed).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
    }

    /// <summary>Two test processes do not install at the same time.</summary>
    private static async Task<FileStream> Alone(string path)
    {
        FileStream? alone = null;
        await Wait.Until(
            () =>
            {
                try
                {
                    alone = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                    return true;
                }
                catch (IOException)
                {
                    return false;
                }
            },
            $"the other process that holds {path}"
        );
        return alone!;
    }

    private static string Home(string name)
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var home = Path.Combine(folder, "tests", name);
            if (File.Exists(Path.Combine(home, "package-lock.json")))
            {
                return home;
            }
        }

        throw new NodeMissingException($"There is no folder tests/{name} above the tests; they are run from a copy without it.");
    }
}
