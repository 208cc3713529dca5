using System.Reflection;
using Silo.Settings;
using Silo.StartUp;
using Xunit;

namespace Unit.Silo;

public sealed class HelpTextTests
{
    private static readonly SettingsRegistry s_settings = global::Silo.Program.Modules.Settings;

    private readonly string[] _lines = HelpText.For(100, s_settings).Split(Environment.NewLine);

    [Fact]
    public void EverySettingIsThereWithItsDefaultAndItsNameInTheEnvironment()
    {
        foreach (var setting in s_settings.All)
        {
            var at = Array.IndexOf(_lines, $"  --{setting.Key} <{setting.Form}>");
            Assert.True(at > 0, $"{setting.Key} is missing.");
            Assert.Contains(
                $"      Default: {(setting.Default.Length == 0 ? "empty" : setting.Default)}.  Environment: {setting.Environment}",
                _lines[at..].TakeWhile(line => line.Length > 0)
            );
        }
    }

    [Fact]
    public void EveryOptionsClassIsInTheCatalog()
    {
        var classes = new[] { typeof(SettingsRegistry).Assembly, typeof(Grains.Crawling.CrawlingOptions).Assembly }
            .SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.GetField("Section", BindingFlags.Public | BindingFlags.Static) is { IsLiteral: true });

        Assert.Equal(classes.Select(type => type.Name).Order(), s_settings.Classes.Select(type => type.Name).Order());
    }

    [Fact]
    public void MeaningsAreWholeSentences() => Assert.All(s_settings.All, setting => Assert.Matches("^[A-Z].*[.]$", setting.Meaning));

    [Theory]
    [InlineData(10, 80)]
    [InlineData(80, 80)]
    [InlineData(120, 120)]
    [InlineData(500, 120)]
    public void LinesFitTheTerminalBetweenEightyAndAHundredAndTwenty(int terminal, int widest) =>
        Assert.All(HelpText.For(terminal, s_settings).Split(Environment.NewLine), line => Assert.True(line.Length <= widest, line));

    [Fact]
    public void EveryExitCodeIsExplained() =>
        Assert.All(ExitCodes.All, code => Assert.Contains($"  {code.Code, 3}  {code.Meaning}", _lines));

    [Fact]
    public void SettingsHaveTheDefaultsThatAreDocumented()
    {
        Assert.Equal("Local", Default("Storage:Kind"));
        Assert.Equal("./data", Default("Storage:Path"));
        Assert.Equal("dev", Default("Cluster:Id"));
        Assert.Equal("11111", Default("Cluster:SiloPort"));
        Assert.Equal("30000", Default("Cluster:GatewayPort"));
        Assert.Equal("8080", Default("Http:Port"));
        Assert.Equal("4317", Default("Grpc:Port"));
        Assert.Equal("127.0.0.1", Default("Listen:Address"));
        Assert.Equal("127.0.0.1", Default("Cluster:Address"));
        Assert.Equal("", Default("Cluster:TrustedNetwork"));
        Assert.Equal("0", Default("Instance:Number"));
        Assert.Equal("", Default("Crawling:AllowPrivate"));
    }

    private static string Default(string key) => s_settings.Find(key)!.Default;
}
