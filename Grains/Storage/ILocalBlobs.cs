using System.Diagnostics.CodeAnalysis;

namespace Grains.Storage;

/// <summary>A store whose objects are files of this machine, each whole and never changed.</summary>
public interface ILocalBlobs
{
    /// <summary>Where an object lies; false when there is none of that name. It may be deleted at any time.</summary>
    bool TryGetPath(string name, [NotNullWhen(true)] out string? path);
}
