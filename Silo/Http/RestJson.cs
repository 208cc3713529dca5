using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Silo.Http;

/// <summary>
/// JSON over HTTP in the form that the console writes: camelCase, nulls kept, text as it is. Each system has a context of its own for what
/// it
/// takes and answers.
/// </summary>
internal static class RestJson
{
    /// <summary>Adds what a system takes and answers to the description of the API.</summary>
    public static IServiceCollection AddRestJson(this IServiceCollection services, JsonSerializerContext types) =>
        services.ConfigureHttpJsonOptions(json =>
        {
            var options = json.SerializerOptions;
            options.TypeInfoResolverChain.Insert(0, types);
            // As every context has it: a number is no text.
            options.NumberHandling = JsonNumberHandling.Strict;
            foreach (var converter in types.Options.Converters)
            {
                options.Converters.Add(converter);
            }
        });

    /// <summary>Text as it is: these answers are no part of a web page.</summary>
    public static JsonSerializerOptions AsItIs(JsonSerializerOptions options) =>
        new(options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}

/// <summary>The names of an enum in camelCase; no numbers.</summary>
internal sealed class CamelCase<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
