using Silo.Settings;
using Xunit;

namespace Unit.Silo;

public sealed class CommandLineTests
{
    private static readonly SettingsRegistry s_settings = global::Silo.Program.Modules.Settings;

    [Fact]
    public void AValueStandsAfterASpaceOrAnEqualsSign()
    {
        var line = CommandLine.Parse(["--Storage:Path", "/a b", "--Http:Port=81", "--Crawling:ContactUrl=http://a/?b=c"], s_settings);

        Assert.Null(line.Problem);
        Assert.Equal("/a b", line.Values["Storage:Path"]);
        Assert.Equal("81", line.Values["Http:Port"]);
        Assert.Equal("http://a/?b=c", line.Values["Crawling:ContactUrl"]);
    }

    [Fact]
    public void KeysAreReadWithoutCase() =>
        Assert.Equal("x", CommandLine.Parse(["--storage:PATH", "x"], s_settings).Values["Storage:Path"]);

    [Fact]
    public void TheLastValueOfASettingCounts() =>
        Assert.Equal("2", CommandLine.Parse(["--Http:Port", "1", "--Http:Port", "2"], s_settings).Values["Http:Port"]);

    [Theory]
    [InlineData("--instance", "3")]
    [InlineData("--instance=3")]
    public void InstanceIsShortForItsSetting(params string[] args) =>
        Assert.Equal("3", CommandLine.Parse(args, s_settings).Values["Instance:Number"]);

    [Fact]
    public void ALevelOfTheLogMayNameAnyCategory() =>
        Assert.Equal(
            "Debug",
            CommandLine.Parse(["--Logging:LogLevel:Orleans.Runtime", "Debug"], s_settings).Values["Logging:LogLevel:Orleans.Runtime"]
        );

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("--Http:Port", "81", "--help")]
    public void HelpIsHeardWhereverItStands(params string[] args) => Assert.True(CommandLine.Parse(args, s_settings).Help);

    [Fact]
    public void ABackupToRestoreStandsBesideSettings()
    {
        var line = CommandLine.Parse(["--restore", "/backups/today", "--Storage:Path", "/data"], s_settings);

        Assert.Equal(("/backups/today", "/data", null), (line.Restore, line.Values["Storage:Path"], line.Problem));
    }

    [Fact]
    public void VersionIsHeard() => Assert.True(CommandLine.Parse(["--version"], s_settings).Version);

    [Theory]
    [InlineData("There is no setting --Storage:Pth; the nearest one is --Storage:Path. --help lists all.", "--Storage:Pth", "x")]
    [InlineData("There is no setting --path; the nearest one is --Storage:Path. --help lists all.", "--path", "x")]
    [InlineData("There is no setting --instanse; the nearest one is --instance. --help lists all.", "--instanse", "1")]
    [InlineData("There is no setting --gateway-port; the nearest one is --Cluster:GatewayPort. --help lists all.", "--gateway-port", "1")]
    [InlineData("There is no setting --colour. --help lists all.", "--colour", "never")]
    [InlineData("--Storage:Path needs a value after it.", "--Storage:Path")]
    [InlineData("--restore needs the folder of a backup after it.", "--restore")]
    [InlineData("--restore needs the folder of a backup after it.", "--restore", "--instance", "1")]
    [InlineData("--Storage:Path needs a value after it.", "--Storage:Path", "--instance", "1")]
    [InlineData("\"crawl\" is not understood: a setting is written --Section:Name value. --help lists all.", "crawl")]
    [InlineData("\"--\" is not understood: a setting is written --Section:Name value. --help lists all.", "--")]
    public void WhatIsNotUnderstoodIsNamed(string sentence, params string[] args) =>
        Assert.Equal(sentence, CommandLine.Parse(args, s_settings).Problem);
}
