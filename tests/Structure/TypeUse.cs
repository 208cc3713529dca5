namespace Structure;

/// <summary>One type of an assembly names another type, in a signature, a body, a generic argument or an attribute.</summary>
/// <param name="Folder">The namespace of the type that names; a nested type counts as the type around it.</param>
/// <param name="Type">Its full name.</param>
/// <param name="UsedAssembly">The simple name of the assembly of the type that is named.</param>
/// <param name="UsedFolder">The namespace of the type that is named.</param>
/// <param name="UsedType">Its full name.</param>
public readonly record struct TypeUse(string Folder, string Type, string UsedAssembly, string UsedFolder, string UsedType)
{
    public override string ToString() => $"{Type} names {UsedType}";
}
