using System.Text;

namespace Client.Shell;

/// <summary>A writer whose failures are told in one place, whoever writes: the verbs, Spectre, the help.</summary>
internal sealed class GuardedWriter : TextWriter
{
    private readonly TextWriter _inner;
    private readonly Action<Exception> _failed;

    /// <param name="inner">The writer.</param>
    /// <param name="failed">Is handed what the writer threw; it may throw something that says more, or return to have the text
    /// dropped.</param>
    public GuardedWriter(TextWriter inner, Action<Exception> failed)
        : base(inner.FormatProvider)
    {
        (_inner, _failed) = (inner, failed);
        NewLine = inner.NewLine;
    }

    public override Encoding Encoding => _inner.Encoding;

    /// <summary>Something was written.</summary>
    public bool HasWritten { get; private set; }

    public override void Write(char value) => Write([value]);

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(ReadOnlySpan<char> buffer)
    {
        HasWritten = true;
        try
        {
            _inner.Write(buffer);
        }
        catch (Exception failure) when (IsOutputFailure(failure))
        {
            _failed(failure);
        }
    }

    /// <summary>In one piece: others may write at the same time.</summary>
    public override void WriteLine(string? value) => Write(value + NewLine);

    public override void Flush()
    {
        try
        {
            _inner.Flush();
        }
        catch (Exception failure) when (IsOutputFailure(failure))
        {
            _failed(failure);
        }
    }

    public override Task FlushAsync()
    {
        Flush();
        return Task.CompletedTask;
    }

    /// <summary>What the system answers to a write: an error number becomes either of these.</summary>
    private static bool IsOutputFailure(Exception failure) =>
        failure is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException { ParamName: "value" };
}
