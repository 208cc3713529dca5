using System.Diagnostics;
using Xunit;

namespace EndToEnd;

/// <summary>
/// What <c>infra/deploy.sh</c> decides: which silos there will be, under which ports and with which image, and which leave. Its Azure CLI
/// and its
/// SDK are stand-ins that write down what they are asked. Azure itself is not reached.
/// </summary>
public sealed class DeployScriptTests : IDisposable
{
    private const string New = "acr.example/orleans-silo@sha256:new";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("deploy-");

    private string Calls => Path.Combine(_folder.FullName, "calls");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task TheFirstDeploymentHasTwoSilosAndANewKey()
    {
        var run = await Deploy([]);

        Assert.Equal(["0 " + New, "1 " + New], run.Silos);
        Assert.Matches("^operator[.][A-Za-z0-9_-]{43}$", run.FirstKey);
        Assert.Contains(run.FirstKey, run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(run.Calls, call => call.Contains(run.FirstKey, StringComparison.Ordinal));
        Assert.Contains(run.Calls, call => call.StartsWith("dotnet publish Silo", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ScalingOutKeepsTheImageOfTheSilosThatAreThereAndAsksForNoKey()
    {
        var run = await Deploy(["0 old", "2 old"], "--silos", "4");

        Assert.Equal(["0 old", "2 old", "3 " + New, "4 " + New], run.Silos);
        Assert.Equal("", run.FirstKey);
        Assert.DoesNotContain(run.Calls, call => call.Contains("containerapp delete", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnUpgradeAddsSilosUnderNewNumbersBeforeTheOldOnesLeave()
    {
        var run = await Deploy(["0 old", "1 old"], "--upgrade");

        Assert.Equal(["0 old", "1 old", "2 " + New, "3 " + New], run.Silos);
        var deployed = run.Calls.FindIndex(call => call.Contains("main.bicep", StringComparison.Ordinal));
        Assert.Equal(
            ["p1a-silo-0", "p1a-silo-1"],
            run.Calls.Skip(deployed)
                .Where(call => call.Contains("containerapp delete", StringComparison.Ordinal))
                .Select(call => call.Split(' ')[6])
        );
        Assert.Contains("Deployed 2 silos", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARollBackBuildsNothingAndTakesTheImageOfItsTag()
    {
        var run = await Deploy(["0 old"], "--upgrade", "--tag", "abc");

        Assert.Equal(["0 old", "1 " + New], run.Silos);
        Assert.DoesNotContain(run.Calls, call => call.StartsWith("dotnet", StringComparison.Ordinal));
        Assert.Contains(run.Calls, call => call.Contains("orleans-silo:abc", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ASiloThatIsTakenAwayLeavesTheOthersAsTheyAre()
    {
        var run = await Deploy(["0 old", "1 old"], "--remove", "0");

        Assert.Equal(["1 old"], run.Silos);
        Assert.Contains(run.Calls, call =>
            call.Contains("containerapp delete --resource-group g --name p1a-silo-0", StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("There is nothing to upgrade", "", "--upgrade")]
    [InlineData("There is no silo 7", "0 old", "--remove", "7")]
    [InlineData("The last silo is not taken away", "0 old", "--remove", "0")]
    [InlineData("There are 2 silos; take some away with --remove NUMBER: 0 1.", "0 old,1 old", "--silos", "1")]
    [InlineData("--silos is \"many\"", "", "--silos", "many")]
    [InlineData("--remove is \"-1\"", "", "--remove", "-1")]
    [InlineData("--key-file: /none cannot be read", "", "--key-file", "/none")]
    [InlineData("There is no option --scale", "", "--scale", "2")]
    [InlineData("--group needs a value", "", "--group")]
    public async Task WhatCannotBeDoneIsASentenceAndDeploysNothing(string sentence, string there, params string[] options)
    {
        var run = await Deploy(there.Split(',', StringSplitOptions.RemoveEmptyEntries), exitCode: 2, options);

        Assert.Contains(sentence, run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(run.Calls, call => call.Contains("main.bicep", StringComparison.Ordinal));
    }

    private Task<Run> Deploy(string[] there, params string[] options) => Deploy(there, exitCode: 0, options);

    private async Task<Run> Deploy(string[] there, int exitCode, string[] options)
    {
        StandIn(
            "az",
            $$"""
            echo "az $*" >> '{{Calls}}'
            case "$*" in
                *"containerapp list"*) printf '%s' '{{string.Concat(
                there.Select(silo => $"p1a-silo-{silo.Replace(" ", "\t", StringComparison.Ordinal)}\n")
            )}}' ;;
                *"acr repository show"*) echo sha256:new ;;
                *"--expose-token"*) echo token ;;
                *registryName*) echo acr ;;
                *loginServer*) echo acr.example ;;
                *"--query"*) echo https://address.example ;;
                *main.bicep*) cp "$(sed 's/.*--parameters @\([^ ]*\).*/\1/' <<<"$*")" '{{Path.Combine(_folder.FullName, "parameters")}}' ;;
            esac
            """
        );
        StandIn("dotnet", $"echo \"dotnet $*\" >> '{Calls}'");
        var start = new ProcessStartInfo(
            "bash",
            [Path.Combine(Repository.Folder, "infra", "deploy.sh"), "--group", "g", "--prefix", "p1a", .. options]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = _folder.FullName + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH");
        using var script = Process.Start(start)!;
        var output = await Task.WhenAll(script.StandardOutput.ReadToEndAsync(), script.StandardError.ReadToEndAsync());
        await script.WaitForExitAsync();
        Assert.True(script.ExitCode == exitCode, string.Concat(output));
        return new(
            string.Concat(output),
            File.Exists(Calls) ? [.. await File.ReadAllLinesAsync(Calls)] : [],
            Path.Combine(_folder.FullName, "parameters")
        );
    }

    private void StandIn(string name, string script)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, $"#!/usr/bin/env bash\n{script}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
    }

    private sealed record Run(string Output, List<string> Calls, string ParametersPath)
    {
        private System.Text.Json.JsonElement Parameters =>
            System.Text.Json.JsonElement.Parse(File.ReadAllText(ParametersPath)).GetProperty("parameters");

        public string[] Silos =>
            [
                .. Parameters
                    .GetProperty("silos")
                    .GetProperty("value")
                    .EnumerateArray()
                    .Select(silo => $"{silo.GetProperty("number").GetInt32()} {silo.GetProperty("image").GetString()}"),
            ];

        public string FirstKey => Parameters.GetProperty("firstKey").GetProperty("value").GetString()!;
    }
}
