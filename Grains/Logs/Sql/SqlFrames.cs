using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Grains.Logs.Sql;

/// <summary>What a frame between a silo and its SQL process holds.</summary>
public enum SqlFrameKind : byte
{
    /// <summary>From the process: it waits for a statement. Empty.</summary>
    Ready = 1,

    /// <summary>To the process: a <see cref="SqlRequest"/>.</summary>
    Request = 2,

    /// <summary>From the process: the <see cref="SqlColumns"/>.</summary>
    Columns = 3,

    /// <summary>From the process: one row, a JSON array.</summary>
    Row = 4,

    /// <summary>From the process: the <see cref="SqlEnd"/>.</summary>
    End = 5,
}

/// <summary>One frame.</summary>
public readonly record struct SqlFrame(SqlFrameKind Kind, ReadOnlyMemory<byte> Content)
{
    /// <exception cref="InvalidDataException">It holds something else.</exception>
    internal T Read<T>(JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(Content.Span, type) ?? throw new InvalidDataException($"A frame of {Kind} holds null.");
        }
        catch (JsonException wrong)
        {
            throw new InvalidDataException($"A frame of {Kind} cannot be read: {wrong.Message}", wrong);
        }
    }
}

/// <summary>Frames on a pipe: four bytes with the length of the content (little-endian), one byte with the kind, the content.</summary>
public static class SqlFrames
{
    private const int HeaderBytes = 5;

    /// <summary>Bytes of the last frame: a sentence, and the numbers of files.</summary>
    private const int EndBytes = 4 * 1024 * 1024;

    public static void Write(Stream stream, SqlFrameKind kind, ReadOnlySpan<byte> content)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        BinaryPrimitives.WriteInt32LittleEndian(header, content.Length);
        header[^1] = (byte)kind;
        stream.Write(header);
        stream.Write(content);
    }

    internal static void Write<T>(Stream stream, SqlFrameKind kind, T content, JsonTypeInfo<T> type) =>
        Write(stream, kind, JsonSerializer.SerializeToUtf8Bytes(content, type));

    /// <summary>The next frame; null when the pipe ended before one began.</summary>
    /// <param name="maxBytes">Of its content. A longer one is refused before memory is taken for it.</param>
    /// <exception cref="InvalidDataException">This is no frame, or a longer one.</exception>
    /// <exception cref="EndOfStreamException">The pipe ended within a frame.</exception>
    public static async ValueTask<SqlFrame?> Read(Stream stream, int maxBytes, CancellationToken cancel = default)
    {
        var header = new byte[HeaderBytes];
        var read = await stream.ReadAtLeastAsync(header, HeaderBytes, throwOnEndOfStream: false, cancel);
        if (read == 0)
        {
            return null;
        }

        if (read < HeaderBytes)
        {
            throw new EndOfStreamException("The pipe ended within the header of a frame.");
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(header);
        var kind = (SqlFrameKind)header[^1];
        if (length < 0 || length > maxBytes || !Enum.IsDefined(kind))
        {
            throw new InvalidDataException(
                $"A frame has 0 to {maxBytes} bytes and a known kind; this one has {length} and the kind {header[^1]}."
            );
        }

        var content = new byte[length];
        await stream.ReadExactlyAsync(content, cancel);
        return new(kind, content);
    }

    /// <summary>The next frame of a pipe that is not to end yet.</summary>
    internal static async Task<SqlFrame> Next(Stream stream, int maxBytes) =>
        await Read(stream, maxBytes) ?? throw new EndOfStreamException("The pipe ended before an answer did.");

    /// <summary>The frames of one answer, and no more of them than the request allows: whoever writes them is not trusted.</summary>
    /// <exception cref="InvalidDataException">They are no answer, or a larger one.</exception>
    /// <exception cref="EndOfStreamException">The pipe ended before the answer did.</exception>
    internal static async Task<SqlAnswer> ReadAnswer(Stream stream, SqlRequest request)
    {
        var columns = new SqlColumns([], []);
        var rows = ImmutableArray.CreateBuilder<string>();
        for (var bytes = 0L; ; )
        {
            var frame = await Next(stream, request.MaxBytes + EndBytes);
            switch (frame.Kind)
            {
                case SqlFrameKind.Columns when rows.Count == 0:
                    columns = frame.Read(SqlJson.Default.SqlColumns);
                    break;
                case SqlFrameKind.Row when rows.Count < request.Limit && (bytes += frame.Content.Length) <= request.MaxBytes:
                    rows.Add(Encoding.UTF8.GetString(frame.Content.Span));
                    break;
                case SqlFrameKind.End:
                    return new(columns.Names, columns.Types, rows.DrainToImmutable(), frame.Read(SqlJson.Default.SqlEnd));
                default:
                    throw new InvalidDataException(
                        $"A frame of {frame.Kind} came where none may, or beyond the {request.Limit} rows and "
                            + $"{request.MaxBytes} bytes that were asked for."
                    );
            }
        }
    }
}
