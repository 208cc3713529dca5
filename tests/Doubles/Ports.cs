using Client.Demo;

namespace Doubles;

/// <summary>Free ports of 127.0.0.1 for tests: each is given once, and no outgoing connection takes one of them meanwhile.</summary>
public static class Ports
{
    // The tests of free ports have the last ten below 27,000, the demo of the console takes from there, and silos with --instance from 31,000 on.
    private static readonly FreePorts s_all = new(first: 20_000, count: 6_990);

    /// <summary>So many different ports.</summary>
    public static int[] Take(int count) => s_all.Take(count);

    /// <summary>One port.</summary>
    public static int Take() => Take(1)[0];
}
