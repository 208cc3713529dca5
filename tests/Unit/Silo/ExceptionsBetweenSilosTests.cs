using System.Runtime.CompilerServices;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Silo.Middleware.Grains;
using Xunit;

namespace Unit.Silo;

/// <summary>
/// A failure that goes from silo to silo is there what it was where it was thrown. Private ones are caught in the file that has them.
/// </summary>
public sealed class ExceptionsBetweenSilosTests
{
    public static TheoryData<Type> Ours =>
        [
            .. new[]
            {
                typeof(ITableStore).Assembly,
                typeof(ErrorMapping).Assembly,
                typeof(Grains.Interfaces.Cluster.TryAgainException).Assembly,
            }
                .SelectMany(assembly => assembly.GetTypes())
                .Where(type => type.IsAssignableTo(typeof(Exception)) && !type.IsAbstract && !type.IsNestedPrivate),
        ];

    [Theory]
    [MemberData(nameof(Ours))]
    public void AnExceptionArrivesAsWhatItIs(Type type)
    {
        using var services = new ServiceCollection()
            .AddSerializer()
            .Configure<ExceptionSerializationOptions>(ErrorMapping.Carry)
            .BuildServiceProvider();
        var serializer = services.GetRequiredService<Serializer<Exception>>();

        var sent = (Exception)RuntimeHelpers.GetUninitializedObject(type);
        Assert.IsType(type, serializer.Deserialize(serializer.SerializeToArray(sent)));
    }

    [Fact]
    public void ItsSentenceArrivesToo()
    {
        using var services = new ServiceCollection()
            .AddSerializer()
            .Configure<ExceptionSerializationOptions>(ErrorMapping.Carry)
            .BuildServiceProvider();
        var serializer = services.GetRequiredService<Serializer<Exception>>();

        var sent = new PartitionLostException("crawls", "p.1", new IOException("The disk is full."));
        Assert.Equal(sent.Message, serializer.Deserialize(serializer.SerializeToArray(sent))?.Message);
    }
}
