using Unit.Architecture.Samples.Generics;

namespace Unit.Architecture.Samples.Bodies;

/// <summary>Names another folder within a method alone.</summary>
internal static class Caller
{
    public static int Call() => Listed.Count();
}
