using System.Text.Json.Serialization;

namespace Silo.Page.Logs;

[JsonSerializable(typeof(SavedQuery))]
internal sealed partial class SavedQueryJson : JsonSerializerContext;
