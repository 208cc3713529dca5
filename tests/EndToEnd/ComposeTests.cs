using System.Collections.Immutable;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.Extensions.Configuration;
using Silo.Settings;
using Xunit;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace EndToEnd;

/// <summary>
/// <c>compose.yaml</c> is read as Docker reads it: every setting in it is one that a silo knows, what it refers to is there, and the
/// addresses of its silos are theirs. The containers themselves are not started here.
/// </summary>
public sealed partial class ComposeTests
{
    /// <summary>Environment variables that are read by .NET, and are no settings of the silo.</summary>
    private static readonly ImmutableArray<string> OfDotNet = ["ASPNETCORE_HTTP_PORTS"];

    private readonly Dictionary<string, object> _compose = Read();

    private Dictionary<string, Dictionary<object, object>> Services =>
        Map(_compose["services"]).ToDictionary(service => (string)service.Key, service => Map(service.Value));

    private IEnumerable<KeyValuePair<string, Dictionary<object, object>>> Silos =>
        Services.Where(service => (string)service.Value["image"] == "orleans-silo");

    [Fact]
    public void EverySettingIsOneThatASiloKnows()
    {
        var settings = Silos.SelectMany(silo => Environment(silo.Value).Keys).Distinct().Except(OfDotNet).ToList();

        Assert.True(settings.Count > 8, string.Join(", ", settings));
        Assert.All(settings, setting =>
            Assert.True(global::Silo.Program.Modules.Settings.IsKnown(setting.Replace("__", ":", StringComparison.Ordinal)), setting)
        );
    }

    [Fact]
    public void TheSettingsOfEachServiceGoTogether()
    {
        foreach (var (name, silo) in Silos)
        {
            var settings = Environment(silo)
                .Where(setting => !OfDotNet.Contains(setting.Key))
                .ToDictionary(
                    setting => setting.Key.Replace("__", ":", StringComparison.Ordinal),
                    setting => (string?)Filled(setting.Value)
                );
            var problems = SettingsCheck.Problems(
                new ConfigurationBuilder().AddInMemoryCollection(settings).Build(),
                Silo.Program.Modules.Settings
            );
            Assert.True(problems.Count == 0, $"{name}: {string.Join(" ", problems)}");
        }
    }

    [Fact]
    public void TheImageIsTheOneThatAPublishMakes()
    {
        var project = XDocument.Load(Path.Combine(Repository.Folder, "Silo", "Silo.csproj"));

        Assert.Equal(["orleans-silo"], project.Descendants("ContainerRepository").Select(name => name.Value));
        Assert.Equal(["silo", "silo-0", "silo-1", "front"], Silos.Select(silo => silo.Key));
    }

    [Fact]
    public void OneSiloStartsWithoutAProfileAndKeepsItsDataInAVolume()
    {
        var plain = Assert.Single(Services, service => !service.Value.ContainsKey("profiles"));
        var (volume, path) = Assert.Single(List(plain.Value["volumes"])).Split(':') is [var from, var to] ? (from, to) : ("", "");

        Assert.Equal("silo", plain.Key);
        Assert.StartsWith(path + "/", Environment(plain.Value)["Storage__Path"], StringComparison.Ordinal);
        Assert.Contains(volume, Map(_compose["volumes"]).Keys);
    }

    [Fact]
    public void TheProfileHasTwoSilosAFrontEndAndAzuriteOfTheVersionThatTheTestsPin()
    {
        var services = Services.Where(service => service.Value.ContainsKey("profiles")).ToDictionary();
        Assert.All(services.Values, service => Assert.Equal(["azure"], List(service["profiles"])));
        Assert.Equal(["azurite", "silo-0", "silo-1", "front"], services.Keys);
        var pinned = File.ReadAllText(Path.Combine(Repository.Folder, "tests", "azurite", "package.json"));
        Assert.Contains($"\"azurite\": \"{((string)services["azurite"]["image"]).Split(':')[^1]}\"", pinned, StringComparison.Ordinal);
        Assert.Equal("Front", Environment(services["front"])["Cluster__Role"]);
        Assert.All(
            services
                .Where(service => service.Value.TryGetValue("depends_on", out _))
                .SelectMany(service => List(service.Value["depends_on"])),
            needed => Assert.Contains(needed, services.Keys)
        );
    }

    [Fact]
    public void EachSiloAdvertisesTheAddressThatItHas()
    {
        var network = Map(Map(_compose["networks"])["cluster"]);
        var subnet = (string)Map(((List<object>)Map(network["ipam"])["config"])[0])["subnet"];
        var addresses = new HashSet<string>();
        foreach (var (name, silo) in Silos.Where(silo => Environment(silo.Value).ContainsKey("Cluster__Address")))
        {
            var environment = Environment(silo);
            var address = (string)Map(Map(silo["networks"])["cluster"])["ipv4_address"];
            Assert.Equal(
                (name, address, subnet),
                (environment["Cluster__Name"], environment["Cluster__Address"], environment["Cluster__TrustedNetwork"])
            );
            Assert.True(System.Net.IPNetwork.Parse(subnet).Contains(System.Net.IPAddress.Parse(address)));
            Assert.True(addresses.Add(address), address);
        }

        Assert.Equal(2, addresses.Count);
    }

    /// <summary>With anchors and merge keys resolved.</summary>
    private static Dictionary<string, object> Read()
    {
        using var file = File.OpenText(Path.Combine(Repository.Folder, "compose.yaml"));
        return new DeserializerBuilder().Build().Deserialize<Dictionary<string, object>>(new MergingParser(new Parser(file)));
    }

    private static Dictionary<object, object> Map(object node) => (Dictionary<object, object>)node;

    private static IEnumerable<string> List(object node) => ((List<object>)node).Cast<string>();

    private static Dictionary<string, string> Environment(Dictionary<object, object> service) =>
        Map(service["environment"]).ToDictionary(setting => (string)setting.Key, setting => (string?)setting.Value ?? "");

    /// <summary>With a first key where the file asks for one.</summary>
    private static string Filled(string value) => Variable().Replace(value, $"ops.{new string('A', 43)}");

    [GeneratedRegex(@"\$\{[A-Z_]+:\?[^}]*\}")]
    private static partial Regex Variable();
}
