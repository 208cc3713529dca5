using Google.Protobuf;
using Google.Protobuf.Reflection;
using static Google.Protobuf.Reflection.FieldDescriptorProto.Types;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;
using Type = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;

namespace Silo.Logs;

/// <summary>
/// What the service of OTLP is to reflection: the messages of opentelemetry-proto 1.x by their names and numbers, put together here so that
/// a tool can list and call it.
/// Nothing is decoded by it.
/// </summary>
public static class LogsService
{
    public const string FullName = "opentelemetry.proto.collector.logs.v1.LogsService";

    private const string Common = "opentelemetry.proto.common.v1";
    private const string Resource = "opentelemetry.proto.resource.v1";
    private const string Logs = "opentelemetry.proto.logs.v1";
    private const string Collector = "opentelemetry.proto.collector.logs.v1";

    /// <summary>Reflection finds it by this name.</summary>
    public static ServiceDescriptor Descriptor { get; } = Build();

    /// <summary>Stands for the service where a class is asked for; reflection looks for the descriptor around its base.</summary>
    public abstract class EndpointBase;

    /// <inheritdoc cref="EndpointBase"/>
    public sealed class Endpoint : EndpointBase;

    private static ServiceDescriptor Build()
    {
        FileDescriptorProto[] files =
        [
            File(
                "opentelemetry/proto/common/v1/common.proto",
                Common,
                [],
                AnyValue(),
                Message("ArrayValue", Many(1, "values", Common, "AnyValue")),
                Message("KeyValueList", Many(1, "values", Common, "KeyValue")),
                Message("KeyValue", One(1, "key", Type.String), One(2, "value", Common, "AnyValue")),
                Message(
                    "InstrumentationScope",
                    One(1, "name", Type.String),
                    One(2, "version", Type.String),
                    Many(3, "attributes", Common, "KeyValue"),
                    One(4, "dropped_attributes_count", Type.Uint32)
                )
            ),
            File(
                "opentelemetry/proto/resource/v1/resource.proto",
                Resource,
                ["opentelemetry/proto/common/v1/common.proto"],
                Message("Resource", Many(1, "attributes", Common, "KeyValue"), One(2, "dropped_attributes_count", Type.Uint32))
            ),
            File(
                "opentelemetry/proto/logs/v1/logs.proto",
                Logs,
                ["opentelemetry/proto/common/v1/common.proto", "opentelemetry/proto/resource/v1/resource.proto"],
                Message(
                    "ResourceLogs",
                    One(1, "resource", Resource, "Resource"),
                    Many(2, "scope_logs", Logs, "ScopeLogs"),
                    One(3, "schema_url", Type.String)
                ),
                Message(
                    "ScopeLogs",
                    One(1, "scope", Common, "InstrumentationScope"),
                    Many(2, "log_records", Logs, "LogRecord"),
                    One(3, "schema_url", Type.String)
                ),
                Message(
                    "LogRecord",
                    One(1, "time_unix_nano", Type.Fixed64),
                    One(11, "observed_time_unix_nano", Type.Fixed64),
                    One(2, "severity_number", Type.Int32),
                    One(3, "severity_text", Type.String),
                    One(5, "body", Common, "AnyValue"),
                    Many(6, "attributes", Common, "KeyValue"),
                    One(7, "dropped_attributes_count", Type.Uint32),
                    One(8, "flags", Type.Fixed32),
                    One(9, "trace_id", Type.Bytes),
                    One(10, "span_id", Type.Bytes),
                    One(12, "event_name", Type.String)
                )
            ),
            File(
                "opentelemetry/proto/collector/logs/v1/logs_service.proto",
                Collector,
                ["opentelemetry/proto/logs/v1/logs.proto"],
                Message("ExportLogsServiceRequest", Many(1, "resource_logs", Logs, "ResourceLogs")),
                Message("ExportLogsServiceResponse", One(1, "partial_success", Collector, "ExportLogsPartialSuccess")),
                Message("ExportLogsPartialSuccess", One(1, "rejected_log_records", Type.Int64), One(2, "error_message", Type.String))
            ),
        ];
        files[^1]
            .Service.Add(
                new ServiceDescriptorProto
                {
                    Name = "LogsService",
                    Method =
                    {
                        new MethodDescriptorProto
                        {
                            Name = "Export",
                            InputType = $".{Collector}.ExportLogsServiceRequest",
                            OutputType = $".{Collector}.ExportLogsServiceResponse",
                        },
                    },
                }
            );
        return FileDescriptor.BuildFromByteStrings(files.Select(file => file.ToByteString()))[^1].Services.Single();
    }

    private static FileDescriptorProto File(string name, string package, string[] imports, params DescriptorProto[] messages) =>
        new()
        {
            Name = name,
            Package = package,
            Syntax = "proto3",
            Dependency = { imports },
            MessageType = { messages },
        };

    private static DescriptorProto Message(string name, params FieldDescriptorProto[] fields) => new() { Name = name, Field = { fields } };

    private static DescriptorProto AnyValue()
    {
        var message = Message(
            "AnyValue",
            One(1, "string_value", Type.String),
            One(2, "bool_value", Type.Bool),
            One(3, "int_value", Type.Int64),
            One(4, "double_value", Type.Double),
            One(5, "array_value", Common, "ArrayValue"),
            One(6, "kvlist_value", Common, "KeyValueList"),
            One(7, "bytes_value", Type.Bytes)
        );
        message.OneofDecl.Add(new OneofDescriptorProto { Name = "value" });
        foreach (var field in message.Field)
        {
            field.OneofIndex = 0;
        }

        return message;
    }

    private static FieldDescriptorProto One(int number, string name, Type type) =>
        new()
        {
            Number = number,
            Name = name,
            Type = type,
            Label = Label.Optional,
        };

    private static FieldDescriptorProto One(int number, string name, string package, string message) =>
        new()
        {
            Number = number,
            Name = name,
            Type = Type.Message,
            TypeName = $".{package}.{message}",
            Label = Label.Optional,
        };

    private static FieldDescriptorProto Many(int number, string name, string package, string message)
    {
        var field = One(number, name, package, message);
        field.Label = Label.Repeated;
        return field;
    }
}
