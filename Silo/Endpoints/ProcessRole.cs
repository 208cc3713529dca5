namespace Silo.Endpoints;

/// <summary>What this process is, for those who have less to add in a front.</summary>
public static class ProcessRole
{
    public static bool IsFront(this WebApplicationBuilder builder) =>
        builder.Configuration.GetSection(ClusterOptions.Section).Get<ClusterOptions>() is { Role: ClusterRole.Front };
}
