using Microsoft.AspNetCore.Builder;
using Silo.Orders;
using Silo.StartUp;

namespace Subscriber;

/// <summary>Adds the subscriber to the silo: changes go into files of the folder that <c>ORDER_FILES</c> names.</summary>
internal sealed class FilesModule : ISiloModule
{
    public void AddServices(WebApplicationBuilder builder)
    {
        var folder = Directory.CreateDirectory(Environment.GetEnvironmentVariable("ORDER_FILES") ?? "orders").FullName;
        builder.Services.AddOrderSubscriber(new() { Name = "files", FromStart = true }, (_, partition) =>
            new OrderFile(Path.Combine(folder, $"{partition:00}.txt"))
        );
    }
}
