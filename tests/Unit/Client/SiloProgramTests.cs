using Client.Demo;
using Doubles;
using Xunit;

namespace Unit.Client;

/// <summary>Where the demo finds a silo to start.</summary>
public sealed class SiloProgramTests : IDisposable
{
    private readonly string _folder = Unique.Folder("console");

    [Fact]
    public void ASiloBesideTheConsoleIsTakenFirst()
    {
        var console = Made("Client/bin/Release/net10.0");
        Make("Orleans.sln");
        Make("Silo/bin/Release/net10.0/Silo.dll");
        var beside = Make("Client/bin/Release/net10.0/Silo.dll");

        Assert.Equal(beside, SiloProgram.Find(console));
    }

    [Theory]
    [InlineData("Release", "")]
    [InlineData("Debug", "/")]
    public void InACheckoutTheConsoleFindsTheSiloOfItsOwnConfiguration(string configuration, string end)
    {
        var console = Made($"Client/bin/{configuration}/net10.0");
        Make("Orleans.sln");
        Make("Silo/bin/Release/net10.0/Silo.dll");
        Make("Silo/bin/Debug/net10.0/Silo.dll");

        Assert.Equal(Path.Combine(_folder, "Silo", "bin", configuration, "net10.0", "Silo.dll"), SiloProgram.Find(console + end));
    }

    [Fact]
    public void AConsoleWithoutASiloSaysHowToGetOne()
    {
        var error = Assert.Throws<ConsoleException>(() => SiloProgram.Find(Made("tools/console")));

        Assert.Contains("dotnet build -c Release Silo", error.Message, StringComparison.Ordinal);
        Assert.Contains("--silo FOLDER", error.Message, StringComparison.Ordinal);
        Assert.Contains("--here", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ANamedSiloIsTakenByItsFolderOrItsFile()
    {
        var silo = Make("elsewhere/Silo.dll");
        var console = Made("tools/console");

        Assert.Equal(silo, SiloProgram.Find(console, Path.GetDirectoryName(silo)));
        Assert.Equal(silo, SiloProgram.Find(console, silo));
    }

    [Fact]
    public void ANamedSiloThatIsNotThereIsNotReplacedByAnother()
    {
        var console = Made("tools/console");
        Make("tools/console/Silo.dll");
        var named = Path.Combine(_folder, "nowhere");

        var error = Assert.Throws<ConsoleException>(() => SiloProgram.Find(console, named));
        Assert.Equal($"There is no silo at {named} (--silo).", error.Message);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Made(string folder) => Directory.CreateDirectory(Path.Combine(_folder, folder)).FullName;

    private string Make(string file)
    {
        var path = Path.Combine(_folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "");
        return path;
    }
}
