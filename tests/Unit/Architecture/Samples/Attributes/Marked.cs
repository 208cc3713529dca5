using Unit.Architecture.Samples.Bodies;

namespace Unit.Architecture.Samples.Attributes;

/// <summary>Names another folder by the argument of an attribute alone.</summary>
[Mark(typeof(Caller))]
internal static class Marked;

[AttributeUsage(AttributeTargets.Class)]
internal sealed class MarkAttribute(Type type) : Attribute
{
    public Type Type => type;
}
