using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Silo.Middleware;

/// <summary>A body that was read, or what is wrong with it.</summary>
public sealed record JsonBody<T>(T? Value, ImmutableArray<Fault> Faults)
    where T : class;

/// <summary>
/// Reads JSON strictly, and says what is wrong with it so that a person can put it right: every unknown member by its name, and where a
/// value is of the wrong kind.
/// </summary>
public static class JsonBody
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    public static JsonBody<T> Read<T>(ReadOnlyMemory<byte> body, JsonTypeInfo<T> type)
        where T : class
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body, Strict);
        }
        catch (JsonException broken)
        {
            return Wrong<T>(
                new Fault(body.IsEmpty ? "The body is empty; it is a JSON object." : $"The body is no JSON{Place(broken)}.", "#")
            );
        }

        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return Wrong<T>(new Fault("The body is a JSON object.", "#"));
            }

            Fault[] unknown =
            [
                .. document
                    .RootElement.EnumerateObject()
                    .Where(member => type.Properties.All(property => property.Name != member.Name))
                    .Select(member => new Fault(
                        $"There is no member \"{member.Name}\"; there are "
                            + $"{string.Join(", ", type.Properties.Select(property => property.Name))}.",
                        Pointer(member.Name)
                    )),
            ];
            if (unknown is not [])
            {
                return Wrong<T>(unknown);
            }

            try
            {
                return new(document.RootElement.Deserialize(type), []);
            }
            catch (JsonException wrong)
            {
                return Wrong<T>(Of(wrong, type, document.RootElement));
            }
        }
    }

    private static JsonBody<T> Wrong<T>(params Fault[] faults)
        where T : class => new(null, [.. faults]);

    /// <summary>Line and column of the first byte that is wrong, counted from 1.</summary>
    private static string Place(JsonException broken) =>
        broken is { LineNumber: { } line, BytePositionInLine: { } column } ? $": line {line + 1}, column {column + 1}" : "";

    private static Fault Of(JsonException wrong, JsonTypeInfo type, JsonElement root)
    {
        // "$.seeds[0]": the path of System.Text.Json, of members without odd characters, as all of ours are.
        var path = (wrong.Path ?? "$")
            .TrimStart('$')
            .TrimStart('.')
            .Replace("[", ".", StringComparison.Ordinal)
            .Replace("]", "", StringComparison.Ordinal);
        if (type.Properties.FirstOrDefault(property => property.Name == path.Split('.')[0]) is { } named)
        {
            return new($"\"{named.Name}\" is {Kind(named.PropertyType)}.", Pointer([.. path.Split('.')]));
        }

        var missing = type
            .Properties.Where(property => property.IsRequired && !root.TryGetProperty(property.Name, out _))
            .Select(property => property.Name)
            .ToArray();
        return new(missing is [] ? "The body is not of the right form." : $"\"{string.Join("\", \"", missing)}\" is missing.", "#");
    }

    private static string Kind(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type switch
        {
            { IsEnum: true } => $"one of {string.Join(", ", Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName))}",
            _ when type == typeof(int) || type == typeof(long) => $"a whole number{(type == typeof(int) ? " of 32 bits" : "")}",
            _ when type == typeof(string) => "a text",
            _ when type == typeof(bool) => "true or false",
            _ when type.IsGenericType && type.GetGenericArguments() is [var item] && item != typeof(string) => $"a list of objects with "
                + $"{string.Join(", ", item.GetProperties().Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name)))}",
            _ => "a list of texts",
        };
    }

    private static string Pointer(params string[] path) =>
        string.Concat(
                path.Select(name => "/" + name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal))
            )
            .Insert(0, "#");
}
