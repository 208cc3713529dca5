using System.Text.Json;
using System.Text.Json.Serialization;
using Grains.Interfaces.Books;
using Silo.Http;

namespace Silo.Books;

/// <summary>The books as JSON over HTTP, in the form of <see cref="RestJson"/>.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(LedgerForm))]
internal sealed partial class BooksJson : JsonSerializerContext
{
    /// <inheritdoc cref="RestJson.AsItIs"/>
    public static BooksJson AsItIs => field ??= new(RestJson.AsItIs(Default.Options));
}
