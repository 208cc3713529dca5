using System.Text.Json;
using System.Text.Json.Serialization;

namespace EndToEnd.Api;

/// <summary>The client that NSwag makes of <c>docs/reference/openapi.json</c> at each build (EndToEnd.csproj).</summary>
public partial class SiloApi
{
    static partial void UpdateJsonSerializerSettings(JsonSerializerOptions settings) =>
        settings.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase));
}
