using System.Text.Json;
using System.Text.Json.Serialization;
using Silo.Http;

namespace Silo.Cluster;

/// <summary>The cluster as JSON over HTTP, in the form of <see cref="RestJson"/>.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(ClusterForm))]
internal sealed partial class ClusterJson : JsonSerializerContext
{
    /// <inheritdoc cref="RestJson.AsItIs"/>
    public static ClusterJson AsItIs => field ??= new(RestJson.AsItIs(Default.Options));
}
