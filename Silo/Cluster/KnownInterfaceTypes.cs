using System.Collections.Concurrent;
using Orleans.Metadata;
using Orleans.Serialization.TypeSystem;

namespace Silo.Cluster;

/// <summary>
/// Remembers what Orleans calls an interface of grains. Orleans reads the interface's attributes again for each reference to a grain that
/// is asked for by its interface.
/// </summary>
/// <remarks>It knows an answer for every interface, so it comes before Orleans' own.</remarks>
internal sealed class KnownInterfaceTypes(IServiceProvider services, TypeConverter types) : IGrainInterfaceTypeProvider
{
    private readonly GrainInterfaceTypeResolver _resolver = new([new AttributeGrainInterfaceTypeProvider(services)], types);

    // As many as there are interfaces in the program.
    private readonly ConcurrentDictionary<Type, GrainInterfaceType> _known = new();

    public bool TryGetGrainInterfaceType(Type type, out GrainInterfaceType grainInterfaceType)
    {
        grainInterfaceType = _known.GetOrAdd(type, static (one, resolver) => resolver.GetGrainInterfaceType(one), _resolver);
        return true;
    }
}
