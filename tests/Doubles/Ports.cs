namespace Doubles;

/// <summary>Another name of <see cref="Unique"/>'s ports.</summary>
public static class Ports
{
    public static int[] Take(int count) => Unique.Ports(count);

    public static int Take() => Unique.Port();
}
