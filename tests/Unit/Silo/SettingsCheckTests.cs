using Doubles;
using Grains.Crawling;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Silo.Endpoints;
using Silo.Grpc;
using Silo.Http;
using Silo.Settings;
using Xunit;

namespace Unit.Silo;

public sealed class SettingsCheckTests
{
    [Fact]
    public void WhatIsNotSetIsRight() => Assert.Empty(Problems());

    [Theory]
    [InlineData("Storage:Kind", "local")]
    [InlineData("Storage:Path", "somewhere else")]
    [InlineData("Listen:Address", "127.0.0.2")]
    [InlineData("Listen:Address", "::1")]
    [InlineData("Crawling:RetryDelay", "00:00:00.5")]
    [InlineData("Crawling:ContactUrl", "")]
    [InlineData("Instance:Number", "99")]
    public void AcceptedValuesPass(string key, string value) => Assert.Empty(Problems((key, value)));

    [Theory]
    [InlineData("Storage:Kind", "Floppy", "Storage:Kind is \"Floppy\"; this build knows Local, Azure.")]
    [InlineData("Storage:Kind", "0", "Storage:Kind is \"0\"; this build knows Local, Azure.")]
    [InlineData("Storage:Path", "", "Storage:Path names a folder. This is \"\".")]
    [InlineData(
        "Listen:Address",
        "localhost",
        "Listen:Address is an IP address, such as 127.0.0.1, ::1 or 0.0.0.0. This is " + "\"localhost\"."
    )]
    [InlineData(
        "Cluster:Address",
        "0.0.0.0",
        "Cluster:Address is the IP address at which other silos reach this one, such as 127.0.0.1 or 10.0.0.5. This is \"0.0.0.0\"."
    )]
    [InlineData("Limits:PerKey", "0", "Limits:PerKey is 0; it is a number from 0.001 to 100000.")]
    [InlineData("Cluster:Id", "a b", "Cluster:Id has 1 to 60 characters of [0-9A-Za-z._~-]. This is \"a b\".")]
    [InlineData("Cluster:Id", "", "Cluster:Id has 1 to 60 characters of [0-9A-Za-z._~-]. This is \"\".")]
    [InlineData("Cluster:SiloPort", "abc", "Cluster:SiloPort is \"abc\"; it is a whole number from 1 to 65535.")]
    [InlineData("Cluster:SiloPort", "99999999999", "Cluster:SiloPort is \"99999999999\"; it is a whole number from 1 to 65535.")]
    [InlineData("Cluster:SiloPort", "0", "Cluster:SiloPort is 0; it is a whole number from 1 to 65535.")]
    [InlineData("Http:Port", "65536", "Http:Port is 65536; it is a whole number from 0 to 65535.")]
    [InlineData("Instance:Number", "100", "Instance:Number is 100; it is a whole number from 0 to 99.")]
    [InlineData("Instance:Number", "-1", "Instance:Number is -1; it is a whole number from 0 to 99.")]
    [InlineData(
        "Crawling:RetryDelay",
        "soon",
        "Crawling:RetryDelay is \"soon\"; it is a duration such as 500ms, 5s, 2m, 1h or 30d from 100ms to 1h."
    )]
    [InlineData(
        "Crawling:RetryDelay",
        "02:00:00",
        "Crawling:RetryDelay is 2h; it is a duration such as 500ms, 5s, 2m, 1h or 30d from 100ms to 1h."
    )]
    [InlineData("Storage:Pth", "x", "There is no setting Storage:Pth; the nearest one is Storage:Path. --help lists all.")]
    [InlineData("Storage:Path:More", "x", "There is no setting Storage:Path:More; the nearest one is Storage:Path. --help lists all.")]
    public void AWrongValueIsNamedWithWhatWouldBeRight(string key, string value, string sentence) =>
        Assert.Equal([sentence], Problems((key, value)));

    [Theory]
    [InlineData("250ms", 250)]
    [InlineData("5s", 5_000)]
    [InlineData("1.5m", 90_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("00:00:05", 5_000)]
    public void ADurationIsWrittenAsAtTheConsole(string text, int milliseconds)
    {
        using var configuration = new ConfigurationManager { ["Crawling:RetryDelay"] = text };
        SettingsCheck.ReadDurations(configuration, global::Silo.Program.Modules.Settings);

        Assert.Empty(global::Silo.Program.Modules.Problems(configuration));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), configuration.Read<CrawlingOptions>().RetryDelay);
    }

    [Theory]
    [InlineData("30", "Crawling:RetryDelay is \"30\"; it is a duration such as 500ms, 5s, 2m, 1h or 30d from 100ms to 1h.")]
    [InlineData("2h", "Crawling:RetryDelay is 2h; it is a duration such as 500ms, 5s, 2m, 1h or 30d from 100ms to 1h.")]
    public void ANumberWithoutAUnitIsNoDuration(string text, string sentence) =>
        Assert.Equal([sentence], Problems(("Crawling:RetryDelay", text)));

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("192.168.1.2")]
    [InlineData("::")]
    public void TheDoorsMayListenAnywhere(string address) => Assert.Empty(Problems(("Listen:Address", address)));

    [Fact]
    public void SiloAndGatewayPortsDoNotLeaveLoopbackWithoutATrustedNetwork() =>
        Assert.Equal(
            [
                "Cluster:Address is 10.0.0.5, and the ports for silos and clients know no passwords: name the private network "
                    + "that it belongs to, whose every machine you trust, with --Cluster:TrustedNetwork (10.0.0.0/8, say), or "
                    + "leave the address at 127.0.0.1.",
            ],
            Problems(("Cluster:Address", "10.0.0.5"), ("Cluster:TrustedNetwork", "192.168.0.0/16,fd00::/8"))
        );

    [Theory]
    [InlineData("10.0.0.5", "10.0.0.0/8")]
    [InlineData("10.0.0.5", "192.168.0.0/16, 10.0.0.4/30")]
    [InlineData("fd00::5", "fd00::/8")]
    [InlineData("127.0.0.3", "")]
    public void SiloAndGatewayPortsMayBeInATrustedNetwork(string address, string network) =>
        Assert.Empty(Problems(("Cluster:Address", address), ("Cluster:TrustedNetwork", network)));

    [Theory]
    [InlineData("0.0.0.0/0")]
    [InlineData("10.0.0.0")]
    [InlineData("10.0.0.0/33")]
    [InlineData("::/0")]
    public void EverybodyIsNoTrustedNetwork(string network) =>
        Assert.Equal(
            [
                $"Cluster:TrustedNetwork is a list of networks, such as 10.0.0.0/8,fd00::/8, or nothing; one of everybody (/0) "
                    + $"is not to be trusted. This is \"{network}\".",
            ],
            Problems(("Cluster:TrustedNetwork", network))
        );

    [Theory]
    [InlineData("UseDevelopmentStorage=true", "")]
    [InlineData("DefaultEndpointsProtocol=https;AccountName=things;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net", "")]
    [InlineData("", "things")]
    public void AnAzureAccountIsNamedInOneWay(string connection, string account) =>
        Assert.Empty(Problems(("Storage:Kind", "Azure"), ("Storage:ConnectionString", connection), ("Storage:AccountName", account)));

    [Theory]
    [InlineData(
        "Azure",
        "",
        "",
        "Storage:Kind is Azure, and no account is named; give Storage:AccountName, or Storage:ConnectionString "
            + "(UseDevelopmentStorage=true for Azurite)."
    )]
    [InlineData(
        "Azure",
        "UseDevelopmentStorage=true",
        "things",
        "Storage:ConnectionString and Storage:AccountName are both set; give one of them, for each names an account."
    )]
    [InlineData(
        "Azure",
        "AccountKey=c2VjcmV0",
        "",
        "Storage:ConnectionString cannot be read; it is UseDevelopmentStorage=true, or the text that the portal shows under "
            + "\"Access keys\", with endpoints for tables and blobs."
    )]
    [InlineData(
        "Azure",
        "",
        "things.table.core.windows.net",
        "Storage:AccountName is \"things.table.core.windows.net\"; an account's name has 3 to 24 lower-case letters and digits, "
            + "without the address around it."
    )]
    [InlineData(
        "Local",
        "UseDevelopmentStorage=true",
        "",
        "Storage:ConnectionString is set, and Storage:Kind is Local, which has no account; set Storage:Kind to Azure, or leave "
            + "the account out."
    )]
    [InlineData(
        "Local",
        "",
        "things",
        "Storage:AccountName is set, and Storage:Kind is Local, which has no account; set Storage:Kind to Azure, or leave the account out."
    )]
    public void AnAccountThatDoesNotFitTheKindIsNamedWithoutItsKey(string kind, string connection, string account, string sentence) =>
        Assert.Equal(
            [sentence],
            Problems(("Storage:Kind", kind), ("Storage:ConnectionString", connection), ("Storage:AccountName", account))
        );

    [Fact]
    public void EveryWrongSettingIsNamedAtOnce() =>
        Assert.Equal(
            ["Cluster:SiloPort is 0; it is a whole number from 1 to 65535.", "Http:Port is \"x\"; it is a whole number from 0 to 65535."],
            Problems(("Http:Port", "x"), ("Cluster:SiloPort", "0"))
        );

    [Fact]
    public void AnInstanceMustNotShiftAPortBeyondTheLast() =>
        Assert.Equal(
            ["Cluster:GatewayPort shifted by instance 2 is 65700, and ports end at 65535; choose a smaller port or instance."],
            Problems(("Cluster:GatewayPort", "65500"), ("Instance:Number", "2"))
        );

    [Fact]
    public void EveryPortIsAnother() =>
        Assert.Equal(
            ["Cluster:SiloPort and Http:Port are the same port, 11111; each needs one of its own."],
            Problems(("Http:Port", "11111"))
        );

    [Fact]
    public void TheInstanceShiftsEveryPortByAHundred()
    {
        var doors = TestEndpoints.Of(
            new ClusterOptions(),
            new HttpOptions(),
            new GrpcOptions(),
            new ListenOptions(),
            new InstanceOptions { Number = 3 }
        );

        Assert.Equal(
            ["127.0.0.1:11411", "127.0.0.1:30300", "127.0.0.1:8380", "127.0.0.1:4618", "127.0.0.1:4617"],
            doors.All.Select(door => door.EndPoint.ToString())
        );
    }

    [Fact]
    public void BehindAPlatformThatForwardsPortsASiloListensElsewhereThanWhereItIsReached()
    {
        var cluster = new ClusterOptions
        {
            Name = "silo-b",
            Address = "10.1.0.7",
            ListenAddress = "0.0.0.0",
            TrustedNetwork = "10.1.0.0/16",
            AdvertisedSiloPort = 11112,
            AdvertisedGatewayPort = 30001,
        };
        var doors = TestEndpoints.Of(cluster, new HttpOptions(), new GrpcOptions(), new ListenOptions(), new InstanceOptions());

        Assert.Empty(doors.Problems());
        Assert.Equal(("0.0.0.0:11111", "0.0.0.0:30000"), (doors.Silo.EndPoint.ToString(), doors.Gateway.EndPoint.ToString()));
        Assert.Equal(("10.1.0.7:11112", "10.1.0.7:30001"), (doors.AdvertisedSilo.ToString(), doors.AdvertisedGateway.ToString()));
        Assert.Equal("silo-b", doors.SiloName);
    }

    [Theory]
    [InlineData(
        "0.0.0.0",
        "127.0.0.1",
        "",
        "Cluster:ListenAddress is 0.0.0.0, and Cluster:Address, at which other silos look for this one, is 127.0.0.1"
    )]
    [InlineData(
        "10.1.0.7",
        "127.0.0.1",
        "10.1.0.0/16",
        "Cluster:ListenAddress is 10.1.0.7, and Cluster:Address, at which other silos look for this one, is 127.0.0.1"
    )]
    [InlineData(
        "192.168.0.7",
        "10.1.0.7",
        "10.1.0.0/16",
        "Cluster:ListenAddress is 192.168.0.7, which is in no network that Cluster:TrustedNetwork names."
    )]
    [InlineData("0.0.0.0", "10.1.0.7", "10.2.0.0/16", "Cluster:Address is 10.1.0.7, and the ports for silos and clients know no passwords")]
    [InlineData("anywhere", "127.0.0.1", "", "Cluster:ListenAddress is an IP address")]
    public void PortsWithoutPasswordsAreOpenedInATrustedNetworkOnly(string listen, string address, string trusted, string problem) =>
        Assert.StartsWith(
            problem,
            Assert.Single(Problems(("Cluster:ListenAddress", listen), ("Cluster:Address", address), ("Cluster:TrustedNetwork", trusted))),
            StringComparison.Ordinal
        );

    [Fact]
    public void ASecretThatIsRefusedIsNotRepeated() =>
        Assert.DoesNotContain("hunter2", Assert.Single(Problems(("Keys:Bootstrap", "hunter2"))), StringComparison.Ordinal);

    [Fact]
    public void AClosedDoorIsNotShiftedAndIsNoDoor()
    {
        var doors = TestEndpoints.Of(
            new ClusterOptions(),
            new HttpOptions { Port = 0 },
            new GrpcOptions { Port = 0 },
            new ListenOptions(),
            new InstanceOptions { Number = 3 },
            new() { OtlpHttpPort = 0 }
        );

        Assert.Empty(doors.Open);
        Assert.Empty(doors.Problems());
        Assert.Equal(["127.0.0.1:11411", "127.0.0.1:30300"], doors.All.Select(door => door.EndPoint.ToString()));
    }

    [Fact]
    public void AFrontHasNoPortsButItsDoors()
    {
        var doors = TestEndpoints.Of(
            new ClusterOptions { Role = ClusterRole.Front, SiloPort = 8080 },
            new HttpOptions(),
            new GrpcOptions(),
            new ListenOptions(),
            new InstanceOptions()
        );

        Assert.Empty(doors.Problems());
        Assert.Equal(["127.0.0.1:8080", "127.0.0.1:4318", "127.0.0.1:4317"], doors.All.Select(door => door.EndPoint.ToString()));
    }

    [Fact]
    public void AFrontWithoutDoorsDoesNothing() =>
        Assert.Equal(
            ["A front without doors does nothing: Http:Port, Grpc:Port and Logs:OtlpHttpPort are all 0."],
            Problems(("Cluster:Role", "front"), ("Http:Port", "0"), ("Grpc:Port", "0"), ("Logs:OtlpHttpPort", "0"))
        );

    [Fact]
    public void OptionsThatAreBoundAreCheckedByTheSameRules()
    {
        using var services = new ServiceCollection().AddSettings<HttpOptions>(Configuration(("Http:Port", "-1"))).BuildServiceProvider();

        var refused = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<HttpOptions>>().Value);
        Assert.Equal(["Http:Port is -1; it is a whole number from 0 to 65535."], refused.Failures);
    }

    private static IReadOnlyList<string> Problems(params (string Key, string Value)[] settings) =>
        global::Silo.Program.Modules.Problems(Configuration(settings));

    private static IConfigurationRoot Configuration(params (string Key, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(pair => pair.Key, pair => (string?)pair.Value)).Build();
}
