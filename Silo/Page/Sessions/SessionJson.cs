using System.Text.Json.Serialization;

namespace Silo.Page.Sessions;

[JsonSerializable(typeof(PageSession))]
internal sealed partial class SessionJson : JsonSerializerContext;
