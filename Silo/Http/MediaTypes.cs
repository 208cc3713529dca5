namespace Silo.Http;

/// <summary>Names that answers in parts share, whatever system they are of.</summary>
internal static class MediaTypes
{
    /// <summary>Server-sent events (WHATWG HTML, section 9.2).</summary>
    public const string Events = "text/event-stream";

    /// <summary>One JSON object a line.</summary>
    public const string JsonLines = "application/x-ndjson";
}
