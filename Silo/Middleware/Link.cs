namespace Silo.Middleware;

/// <summary>One step of a chain.</summary>
/// <param name="What">What it does, for those who read the chain: <c>cluster chain</c> prints it.</param>
public sealed record Link(string Name, string What, Action<IApplicationBuilder> Use)
{
    public static Link Of<T>(string name, string what)
        where T : class => new(name, what, app => app.UseMiddleware<T>());
}
