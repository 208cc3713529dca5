namespace Silo.Middleware.Grains;

/// <summary>One step that calls of grains pass.</summary>
/// <param name="Name">Of the step.</param>
/// <param name="What">What it does, for those who read the chain.</param>
/// <param name="OfSilo">What it adds to a silo.</param>
/// <param name="OfClient">What it adds to a process that only calls: a front.</param>
public sealed record GrainLink(string Name, string What, Action<ISiloBuilder> OfSilo, Action<IClientBuilder> OfClient);
