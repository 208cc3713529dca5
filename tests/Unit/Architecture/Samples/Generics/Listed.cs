using Unit.Architecture.Samples.Attributes;

namespace Unit.Architecture.Samples.Generics;

/// <summary>Names another folder by a generic argument alone.</summary>
internal static class Listed
{
    public static int Count() => Array.Empty<KeyValuePair<int, MarkAttribute>>().Length;
}
