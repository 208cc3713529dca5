using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Grains.Logs.Segments;

namespace Grains.Logs;

/// <summary>What is set from outside for the log pipeline, for the whole silo.</summary>
public sealed class LogsOptions
{
    public const string Section = "Logs";

    [Description(
        "Shards of the log in the cluster: each writes its own segments, one at a time. Stored at the first start; another "
            + "number later stops the silo."
    )]
    [Range(1, 256)]
    public int Shards { get; set; } = 2;

    [Description(
        "Bytes of requests that this silo holds at once, from before they are read until they are durable. What is beyond is "
            + "answered with 429 or 503 and Retry-After. \"logs size\" computes what an outage needs."
    )]
    [Range(1024 * 1024, 16L * 1024 * 1024 * 1024)]
    public long BufferBytes { get; set; } = 64 * 1024 * 1024;

    [Description("The part of the buffer that one service may hold while others are there.")]
    [Range(0.01, 1)]
    public double ServiceShare { get; set; } = 0.5;

    [Description(
        "How long a record waits for others before its segment is written. Less is a quicker acknowledgement, more is larger segments."
    )]
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:10")]
    public TimeSpan Linger { get; set; } = TimeSpan.FromMilliseconds(150);

    [Description(
        "Bytes of records that make a segment worth writing without lingering. What comes while one is written goes into the "
            + "next, which may be larger."
    )]
    [Range(64 * 1024, 256 * 1024 * 1024)]
    public int SegmentBytes { get; set; } = 2 * 1024 * 1024;

    [Description("Records that make a segment worth writing without lingering.")]
    [Range(100, LogBlockLimit)]
    public int SegmentRecords { get; set; } = 8192;

    [Description("Bytes of one record as it comes in. A larger one is refused, and its neighbours are taken.")]
    [Range(1024, 16 * 1024 * 1024)]
    public int MaxRecordBytes { get; set; } = 1024 * 1024;

    [Description("Bytes of one request after decompression; more is answered with 413.")]
    [Range(64 * 1024, 256 * 1024 * 1024)]
    public int MaxRequestBytes { get; set; } = 64 * 1024 * 1024;

    [Description(
        "How long a request is recognised by its Idempotency-Key when it comes again, and how long the repeat of a request "
            + "without one is expected when its answer was lost."
    )]
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan RepeatWindow { get; set; } = TimeSpan.FromMinutes(15);

    [Description(
        "Retention classes and how long each keeps its records: name=days, comma-separated. What no rule routes elsewhere is in "
            + "\"default\"."
    )]
    [RetentionSetting]
    public string Retention { get; set; } = "default=30,short=3,long=365";

    [Description("Whether the silo's own log goes into the pipeline too, as the service \"silo\". It is on standard output in any case.")]
    public bool Own { get; set; }

    [Description("Whether what became of each crawled page goes into the pipeline, as the service \"crawls\".")]
    public bool Crawls { get; set; }

    private const int LogBlockLimit = 1 << 20;
}

/// <summary>Retention classes, as <see cref="RetentionClasses"/> reads them.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RetentionSettingAttribute : ValidationAttribute
{
    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext) =>
        RetentionClasses.TryParse(value as string ?? "", out var fault) is not null
            ? ValidationResult.Success
            : new($"{LogsOptions.Section}:{validationContext.MemberName}: {fault}");
}
