using Grains.Orders.Consumers;
using Microsoft.Extensions.DependencyInjection;
using Silo.Orders;

namespace Witness;

internal static class Witnesses
{
    /// <param name="folder">Where what was seen is written down, a file for each subscriber and partition, and below it in <c>mended</c> a
    /// file for each customer whose orders are to fail no more; null: nowhere.</param>
    /// <param name="subscribes">Adds the two subscribers; without, only those that the silo has are written down.</param>
    public static void AddWitnesses(this IServiceCollection services, string? folder, bool subscribes)
    {
        if (subscribes)
        {
            Subscribe(services, folder);
        }

        if (folder is not null)
        {
            Directory.CreateDirectory(folder);
            WriteDown(services, folder);
        }
    }

    private static void Subscribe(IServiceCollection services, string? folder)
    {
        services.AddOrderSubscriber(
            new()
            {
                Name = "witness",
                FromStart = true,
                Backoff = [TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(200)],
            },
            (_, _) => new WitnessSubscriber(folder is null ? null : Path.Combine(folder, "mended"))
        );
        services.AddOrderSubscriber(new() { Name = "plain", FromStart = true }, (_, _) => new PlainSubscriber());
    }

    /// <summary>
    /// Puts a writer around every subscriber that tells nobody, the audit too. What is told to the outside, the outside writes down.
    /// </summary>
    private static void WriteDown(IServiceCollection services, string folder)
    {
        for (var i = 0; i < services.Count; i++)
        {
            if (services[i] is { ServiceType: var type, ImplementationFactory: { } make } && type == typeof(SubscriberEntry))
            {
                services[i] = ServiceDescriptor.Singleton(provider =>
                {
                    var entry = (SubscriberEntry)make(provider);
                    return entry.Rules.Channel is not null
                        ? entry
                        : entry with
                        {
                            Make = partition => new WrittenDown(
                                entry.Make(partition),
                                Path.Combine(folder, $"{entry.Rules.Name}.{partition:00}"),
                                provider.GetRequiredService<TimeProvider>()
                            ),
                        };
                });
            }
        }
    }
}
