using Client.Demo;

namespace Doubles;

/// <summary>
/// Ports, folders and names that no other test has, in this process or in another one of this machine. All test projects take them from
/// here, so that they can run at the same time.
/// </summary>
public static class Unique
{
    /// <summary>
    /// A port of 127.0.0.1 on which nobody listens, and which nobody else who asks is given as long as this process lives.
    /// </summary>
    public static int Port() => Ports(1)[0];

    /// <summary>So many such ports, all different.</summary>
    public static int[] Ports(int count) => FreePorts.Shared.Take(count);

    /// <summary>
    /// Such ports for several instances of a silo: each port plus <see cref="FreePorts.BlockSize"/>, and plus twice that, is the caller's
    /// too.
    /// </summary>
    public static int[] Ports(int count, int instances) => FreePorts.Shared.Take(count, instances);

    /// <summary>An empty folder below the system's temporary one. Whoever asks deletes it.</summary>
    /// <param name="purpose">The beginning of its name.</param>
    public static string Folder(string purpose) => Directory.CreateTempSubdirectory(purpose + "-").FullName;

    /// <summary>Lower-case letters, digits and one hyphen.</summary>
    /// <param name="purpose">Its beginning.</param>
    public static string Name(string purpose) => $"{purpose}-{Guid.NewGuid():N}";
}
