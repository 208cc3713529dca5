using System.Text.Json;
using System.Text.Json.Serialization;
using Grains.Interfaces.Logs;
using Silo.Http;

namespace Silo.Logs;

/// <summary>The log as JSON over HTTP, in the form of <see cref="RestJson"/>.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(AddRule))]
[JsonSerializable(typeof(TestRule))]
[JsonSerializable(typeof(RuleListForm))]
[JsonSerializable(typeof(RuleChangeForm))]
[JsonSerializable(typeof(RuleTestForm))]
[JsonSerializable(typeof(AskLogSql))]
[JsonSerializable(typeof(LogSqlForm))]
[JsonSerializable(typeof(LogSearchForm))]
[JsonSerializable(typeof(LogIntakeRoutes.LogsTaken))]
[JsonSerializable(typeof(QueryEndForm))]
[JsonSerializable(typeof(StatsForm))]
[JsonSerializable(typeof(LogLedger))]
[JsonSerializable(typeof(System.Collections.Immutable.ImmutableArray<string>))]
internal sealed partial class LogsJson : JsonSerializerContext
{
    /// <inheritdoc cref="RestJson.AsItIs"/>
    public static LogsJson AsItIs => field ??= new(RestJson.AsItIs(Default.Options));
}
