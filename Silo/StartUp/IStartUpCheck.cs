namespace Silo.StartUp;

/// <summary>Something that must hold before the silo joins the cluster.</summary>
public interface IStartUpCheck
{
    /// <exception cref="StartUpException">It does not hold; the message says what to do.</exception>
    Task Run(CancellationToken cancel);
}

/// <summary>
/// The checks, run one after the other in the order they were added. Each is made only when those before it have passed:
/// making one opens what it looks at.
/// </summary>
public static class StartUpChecks
{
    public static IServiceCollection AddStartUpCheck<T>(this IServiceCollection services)
        where T : IStartUpCheck => services.AddStartUpCheck(provider => ActivatorUtilities.CreateInstance<T>(provider));

    public static IServiceCollection AddStartUpCheck(this IServiceCollection services, Func<IServiceProvider, IStartUpCheck> make) =>
        services.AddSingleton(new Step(make));

    public static async Task Run(IServiceProvider services, CancellationToken cancel)
    {
        foreach (var step in services.GetServices<Step>())
        {
            await step.Make(services).Run(cancel);
        }
    }

    private sealed record Step(Func<IServiceProvider, IStartUpCheck> Make);
}
