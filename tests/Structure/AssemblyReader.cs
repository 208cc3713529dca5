using System.Runtime.InteropServices;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Structure;

/// <summary>
/// Reads from the IL of an assembly which type names which: base types, signatures, local variables, bodies, generic arguments, attributes.
/// Constants and <c>nameof</c> leave no trace in the IL and are not seen.
/// </summary>
public sealed class AssemblyReader
{
    private readonly string _assembly;
    private readonly HashSet<TypeUse> _uses = [];
    private TypeDefinition _owner = null!;

    private AssemblyReader(string assembly) => _assembly = assembly;

    /// <summary>Every use of one type by another, of the types whose namespace is <paramref name="root"/> or begins with it.</summary>
    /// <param name="path">The assembly's file.</param>
    /// <param name="root">Usually the assembly's name; it leaves out what generators put elsewhere, such as <c>OrleansCodeGen</c>.</param>
    public static IReadOnlyCollection<TypeUse> Read(string path, string root)
    {
        using var module = Open(path);
        var reader = new AssemblyReader(module.Assembly.Name.Name);
        foreach (var type in module.Types.Where(type => IsBelow(type.Namespace, root)))
        {
            reader._owner = type;
            reader.AddDefinition(type);
        }

        return reader._uses;
    }

    /// <summary>The names of the assemblies to which an assembly was bound.</summary>
    public static IReadOnlyList<string> References(string path)
    {
        using var module = Open(path);
        return [.. module.AssemblyReferences.Select(reference => reference.Name).Order(StringComparer.Ordinal)];
    }

    /// <summary>The full names of the classes of an assembly that derive directly from <c>Orleans.Grain</c> and can be made.</summary>
    public static IReadOnlyList<string> Grains(string path)
    {
        using var module = Open(path);
        return
        [
            .. module
                .Types.Where(type => type is { IsAbstract: false, BaseType.FullName: "Orleans.Grain" })
                .Select(type => type.FullName)
                .Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>Whether a namespace is <paramref name="root"/> or lies below it.</summary>
    public static bool IsBelow(string name, string root) =>
        name == root || (name.StartsWith(root, StringComparison.Ordinal) && name[root.Length] == '.');

    /// <summary>
    /// Opens a module and looks for its references beside it and in the shared frameworks of this process: an attribute's argument can be
    /// read only with the enum of which it is a value.
    /// </summary>
    private static ModuleDefinition Open(string path)
    {
        var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(Path.GetDirectoryName(path));
        var runtime = new DirectoryInfo(RuntimeEnvironment.GetRuntimeDirectory());
        foreach (var framework in runtime.Parent!.Parent!.EnumerateDirectories())
        {
            resolver.AddSearchDirectory(Path.Combine(framework.FullName, runtime.Name));
        }

        return ModuleDefinition.ReadModule(path, new ReaderParameters { AssemblyResolver = resolver });
    }

    private void AddDefinition(TypeDefinition type)
    {
        AddAttributes(type);
        AddParameters(type);
        Add(type.BaseType);
        foreach (var implemented in type.Interfaces)
        {
            Add(implemented.InterfaceType);
            AddAttributes(implemented);
        }

        foreach (var field in type.Fields)
        {
            Add(field.FieldType);
            AddAttributes(field);
        }

        foreach (var property in type.Properties)
        {
            Add(property.PropertyType);
            AddAttributes(property);
        }

        foreach (var @event in type.Events)
        {
            Add(@event.EventType);
            AddAttributes(@event);
        }

        foreach (var method in type.Methods)
        {
            AddMethod(method);
        }

        foreach (var nested in type.NestedTypes)
        {
            AddDefinition(nested);
        }
    }

    private void AddMethod(MethodDefinition method)
    {
        AddAttributes(method);
        AddAttributes(method.MethodReturnType);
        AddParameters(method);
        Add(method.ReturnType);
        foreach (var parameter in method.Parameters)
        {
            Add(parameter.ParameterType);
            AddAttributes(parameter);
        }

        foreach (var implemented in method.Overrides)
        {
            Add(implemented);
        }

        if (!method.HasBody)
        {
            return;
        }

        foreach (var local in method.Body.Variables)
        {
            Add(local.VariableType);
        }

        foreach (var handler in method.Body.ExceptionHandlers)
        {
            Add(handler.CatchType);
        }

        foreach (var instruction in method.Body.Instructions)
        {
            AddOperand(instruction);
        }
    }

    private void AddOperand(Instruction instruction)
    {
        switch (instruction.Operand)
        {
            case TypeReference type:
                Add(type);
                break;
            case MethodReference method:
                Add(method);
                break;
            case FieldReference field:
                Add(field.DeclaringType);
                Add(field.FieldType);
                break;
            case CallSite site:
                Add(site.ReturnType);
                AddAll(site.Parameters.Select(parameter => parameter.ParameterType));
                break;
        }
    }

    private void Add(MethodReference method)
    {
        Add(method.DeclaringType);
        Add(method.ReturnType);
        AddAll(method.Parameters.Select(parameter => parameter.ParameterType));
        if (method is GenericInstanceMethod instance)
        {
            AddAll(instance.GenericArguments);
        }
    }

    private void AddAll(IEnumerable<TypeReference> types)
    {
        foreach (var type in types)
        {
            Add(type);
        }
    }

    private void AddParameters(IGenericParameterProvider provider)
    {
        foreach (var parameter in provider.GenericParameters)
        {
            AddAttributes(parameter);
            AddAll(parameter.Constraints.Select(constraint => constraint.ConstraintType));
        }
    }

    private void AddAttributes(ICustomAttributeProvider provider)
    {
        foreach (var attribute in provider.CustomAttributes)
        {
            Add(attribute.AttributeType);
            foreach (var argument in attribute.ConstructorArguments.Concat(attribute.Properties.Select(named => named.Argument)))
            {
                AddArgument(argument);
            }
        }
    }

    private void AddArgument(CustomAttributeArgument argument)
    {
        Add(argument.Type);
        switch (argument.Value)
        {
            case TypeReference type:
                Add(type);
                break;
            case CustomAttributeArgument inner:
                AddArgument(inner);
                break;
            case CustomAttributeArgument[] many:
                Array.ForEach(many, AddArgument);
                break;
        }
    }

    private void Add(TypeReference? type)
    {
        switch (type)
        {
            case null or GenericParameter:
                return;
            case GenericInstanceType instance:
                Add(instance.ElementType);
                AddAll(instance.GenericArguments);
                return;
            case FunctionPointerType pointer:
                Add(pointer.ReturnType);
                AddAll(pointer.Parameters.Select(parameter => parameter.ParameterType));
                return;
            case IModifierType modified:
                Add(modified.ElementType);
                Add(modified.ModifierType);
                return;
            case TypeSpecification specification:
                Add(specification.ElementType);
                return;
        }

        var outer = type;
        while (outer.DeclaringType is not null)
        {
            outer = outer.DeclaringType;
        }

        if (outer.FullName != _owner.FullName)
        {
            var assembly = outer.Scope is AssemblyNameReference reference ? reference.Name : _assembly;
            _uses.Add(new(_owner.Namespace, _owner.FullName, assembly, outer.Namespace, outer.FullName));
        }
    }
}
