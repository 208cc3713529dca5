using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using Grains.Client;
using Grains.Interfaces.Cluster;
using Grains.Interfaces.Values;

namespace Client.Shell;

/// <summary>The options that every verb understands.</summary>
internal sealed class GlobalOptions
{
    /// <summary>Gateways for when no option names one, separated by commas.</summary>
    public const string GatewayVariable = "SILO_GATEWAY";

    public Option<string[]> Gateway { get; } =
        new("--gateway")
        {
            Description = $"Gateway of a silo, several allowed. [default: {GatewayVariable} of the environment, else 127.0.0.1:30000]",
            HelpName = "HOST:PORT",
            Recursive = true,
            AllowMultipleArgumentsPerToken = false,
            Validators = { RefuseOddGateways },
        };

    public Option<string> ClusterId { get; } =
        new("--cluster")
        {
            Description = $"The cluster's id. [default: {ClusterNames.DefaultClusterId}]",
            HelpName = "ID",
            Recursive = true,
        };

    public Option<TimeSpan?> ConnectTimeout { get; } =
        new("--connect-timeout")
        {
            Description = "How long to wait for a silo to take the connection, 100ms to 1h. [default: 10s]",
            HelpName = "DURATION",
            Recursive = true,
            CustomParser = ReadConnectTimeout,
        };

    public Option<bool> Json { get; } = new("--json") { Description = "Write for programs: one JSON object a line.", Recursive = true };

    public Option<bool> Quiet { get; } =
        new("--quiet", "-q")
        {
            Description = "Print results alone: of a list the ids, of a change its id or count; no progress, no hints. Warnings stay.",
            Recursive = true,
        };

    /// <exception cref="ConsoleException">The environment names something that is no gateway.</exception>
    public ClusterAddress Address(ParseResult parsed, Func<string, string?> environment)
    {
        ImmutableArray<string> gateways = [.. parsed.GetValue(Gateway) ?? []];
        if (gateways.IsEmpty && environment(GatewayVariable) is { Length: > 0 } set)
        {
            gateways = [.. set.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
            if (gateways.FirstOrDefault(gateway => !GatewayAddress.TryParse(gateway, out _)) is { } odd)
            {
                throw new ConsoleException(
                    $"{GatewayVariable} names \"{odd}\", which is no gateway: it would look like 127.0.0.1:30000.",
                    ExitCode.WrongUsage
                );
            }
        }

        return new(
            gateways.IsEmpty ? ClusterAddress.Local.Gateways : [.. gateways.Select(GatewayAddress.Parse)],
            parsed.GetValue(ClusterId) ?? ClusterNames.DefaultClusterId
        )
        {
            ConnectTimeout = parsed.GetValue(ConnectTimeout) ?? ClusterAddress.UsualTimeout,
        };
    }

    private static TimeSpan? ReadConnectTimeout(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (Durations.TryParse(text, out var timeout) && timeout >= TimeSpan.FromMilliseconds(100) && timeout <= TimeSpan.FromHours(1))
        {
            return timeout;
        }

        result.AddError($"--connect-timeout is a duration from 100ms to 1h, such as 30s; this is \"{text}\"");
        return null;
    }

    private static void RefuseOddGateways(OptionResult result)
    {
        foreach (var token in result.Tokens.Where(token => !GatewayAddress.TryParse(token.Value, out _)))
        {
            result.AddError($"\"{token.Value}\" is no gateway: it would look like 127.0.0.1:30000.");
        }
    }
}
