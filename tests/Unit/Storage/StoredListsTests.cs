using System.Collections;
using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using Grains;
using Xunit;

namespace Unit.Storage;

/// <summary>
/// A row of an earlier version lacks what was added since. Generated JSON readers set every init-only property, with the type's default
/// where the row has nothing: for an <see cref="ImmutableArray{T}"/> that is one which neither a reader nor a writer survives.
/// </summary>
public sealed class StoredListsTests
{
    public static TheoryData<string> Lists() => new(Stored().Select(list => $"{list.DeclaringType!.FullName}.{list.Name}"));

    [Theory]
    [MemberData(nameof(Lists))]
    public void AListThatARowLacksIsEmpty(string name)
    {
        var list = Stored().Single(list => $"{list.DeclaringType!.FullName}.{list.Name}" == name);
        var row = RuntimeHelpers.GetUninitializedObject(list.DeclaringType!);
        var none = Activator.CreateInstance(list.PropertyType);

        list.SetValue(row, none);

        Assert.Empty((IEnumerable)list.GetValue(row)!);
    }

    /// <summary>The lists that may be missing: with an initial value, neither required nor given to the constructor.</summary>
    private static IEnumerable<PropertyInfo> Stored()
    {
        var seen = new HashSet<Type>();
        var open = new Stack<Type>(
            typeof(Unawaited)
                .Assembly.GetTypes()
                .Where(type => type.IsSubclassOf(typeof(JsonSerializerContext)))
                .SelectMany(type => type.GetCustomAttributesData())
                .Where(attribute => attribute.AttributeType == typeof(JsonSerializableAttribute))
                .Select(attribute => (Type)attribute.ConstructorArguments[0].Value!)
        );
        while (open.TryPop(out var type))
        {
            foreach (var argument in type.IsGenericType ? type.GetGenericArguments() : [])
            {
                open.Push(argument);
            }

            if (!seen.Add(type) || type.Namespace?.StartsWith("Grains", StringComparison.Ordinal) != true)
            {
                continue;
            }

            var given = type.GetConstructors().SelectMany(made => made.GetParameters()).Select(parameter => parameter.Name).ToHashSet();
            foreach (var property in type.GetProperties().Where(property => property.SetMethod is not null))
            {
                open.Push(property.PropertyType);
                if (IsList(property.PropertyType) && !given.Contains(property.Name) && !property.IsDefined(typeof(RequiredMemberAttribute)))
                {
                    yield return property;
                }
            }
        }
    }

    private static bool IsList(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ImmutableArray<>);
}
