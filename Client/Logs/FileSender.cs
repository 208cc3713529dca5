using Client.Cluster;
using Grains.Interfaces.Logs;
using Grains.Logs.Text;

namespace Client.Logs;

/// <summary>What was sent so far.</summary>
internal sealed record SendProgress(string File, long Bytes, long Length, long Stored, long Refused, long ResumedAt)
{
    /// <summary>What the sender waits for; null while it goes on.</summary>
    public string? WaitsFor { get; init; }
}

/// <summary>
/// Sends one file in parts of whole lines, a few at once, and keeps how far it came before and after each: it may be stopped or killed at any moment and go on later.
/// </summary>
/// <param name="state">Null for standard input, which nobody can read twice.</param>
internal sealed class FileSender(Session session, SendLines form, Stream file, SendState? state, string stateFolder, Action<SendProgress> told, Action<long, LineFault> refused)
{
    /// <summary>A part ends with a line, and has this many bytes at most; a longer line is cut here.</summary>
    public const int PartBytes = 1024 * 1024;

    /// <summary>Parts that are on their way at once.</summary>
    public const int AtOnce = 4;

    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(1);

    /// <summary>When a followed file has not grown for so long, its last record of several lines is whole.</summary>
    private static readonly TimeSpan RecordIsOver = TimeSpan.FromSeconds(1);

    private readonly RecordJoiner _joiner = new(new(TimeZoneInfo.TryFindSystemTimeZoneById(form.Zone, out var zone) ? zone : TimeZoneInfo.Utc));
    private int _lastBuffered;
    private long _grew;
    private readonly LinkedList<(FilePart Part, Task<SendReply> Reply)> _sent = [];
    private readonly byte[] _buffer = new byte[PartBytes];
    private readonly string _name = form.FileName;
    private readonly string? _place = PlaceOf(file);
    private SendState? _state = state;
    private int _buffered;
    private long _end = state?.Done ?? 0;
    private long _stored;
    private long _refused;
    private ulong _next;

    /// <summary>Where it went on; 0: at the start.</summary>
    public long ResumedAt { get; } = state?.Done ?? 0;

    /// <summary>Sends what there is, the last line too if it has no end, and waits until all of it is stored.</summary>
    public async Task<SendProgress> SendAll(CancellationToken cancel)
    {
        await Resend(cancel);
        await SendRest(wholeLines: false, cancel);
        return Progress();
    }

    /// <summary>
    /// Sends whole lines as they come, until it is cancelled. When the file became shorter, or its name is another file's, this ends: with what was still written to the file until the look
    /// after that, the last line too if it has no end.
    /// </summary>
    public async Task Follow(TimeSpan look, CancellationToken cancel)
    {
        await Resend(cancel);
        while (true)
        {
            await SendRest(wholeLines: true, cancel);
            if (!IsStillThere())
            {
                break;
            }

            await Task.Delay(look, session.Terminal.Clock, cancel);
        }

        await Task.Delay(look, session.Terminal.Clock, cancel);
        await SendRest(wholeLines: false, cancel);
    }

    private async Task SendRest(bool wholeLines, CancellationToken cancel)
    {
        while (await ReadPart(wholeLines, cancel) is { Length: > 0 } part)
        {
            await Send(part, cancel);
        }

        await Settle(0, cancel);
    }

    /// <summary>
    /// Whether the file's name is still this file's: another is shorter than what was read, or longer than this one is even afterwards, or begins otherwise. Where the system says
    /// under which name an open file lies, that counts first.
    /// </summary>
    private bool IsStillThere()
    {
        try
        {
            using var now = new FileStream(_state!.File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            Span<byte> beginning = stackalloc byte[SendState.MaxBeginning];
            var length = now.Length;
            return PlaceOf(file) == _place && length >= _end && length <= file.Length && _state.IsOf(beginning[..SendState.ReadBeginning(now, beginning)]);
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    private static string? PlaceOf(Stream file) =>
        OperatingSystem.IsLinux() && file is FileStream opened ? new FileInfo($"/proc/self/fd/{opened.SafeFileHandle.DangerousGetHandle()}").LinkTarget : null;

    /// <summary>What was on its way when the last run ended goes again, under the same ids: what the log has already, it knows.</summary>
    private async Task Resend(CancellationToken cancel)
    {
        foreach (var part in _state?.Sent ?? [])
        {
            var bytes = new byte[part.Length];
            file.Seek(part.Offset, SeekOrigin.Begin);
            await file.ReadExactlyAsync(bytes, cancel);
            _end = part.Offset + part.Length;
            _sent.AddLast((part, Try(part, bytes, cancel)));
            await Settle(AtOnce - 1, cancel);
        }

        if (file.CanSeek)
        {
            file.Seek(_end, SeekOrigin.Begin);
        }
    }

    /// <summary>The next bytes up to the end of a line; empty when there are none.</summary>
    private async Task<ReadOnlyMemory<byte>> ReadPart(bool wholeLines, CancellationToken cancel)
    {
        while (_buffered < _buffer.Length)
        {
            var read = await file.ReadAsync(_buffer.AsMemory(_buffered), cancel);
            if (read == 0)
            {
                break;
            }

            _buffered += read;
        }

        // At the end of a file that nobody follows, the last line needs no end; a line that fills the buffer is cut.
        var isEnd = _buffered < _buffer.Length;
        var lines = _buffer.AsSpan(0, _buffered).LastIndexOf((byte)'\n') + 1;
        lines = form is { IsMultiline: true, Format: LineFormat.Text } && (wholeLines || !isEnd) ? Records(lines, isEnd) : lines;
        var length = isEnd && !wholeLines ? _buffered : lines > 0 ? lines : isEnd ? 0 : _buffered;
        var part = _buffer.AsSpan(0, length).ToArray();
        _buffer.AsSpan(length, _buffered - length).CopyTo(_buffer);
        _buffered -= length;
        return part;
    }

    /// <summary>
    /// Of whole lines, those of whole records: the last record may go on, until the next one begins or the file has not grown for <see cref="RecordIsOver"/>.
    /// </summary>
    private int Records(int lines, bool isEnd)
    {
        if (_buffered != _lastBuffered)
        {
            (_lastBuffered, _grew) = (_buffered, session.Terminal.Clock.GetTimestamp());
        }

        var start = _joiner.LastStart(_buffer.AsSpan(0, lines), LogForm.Nanoseconds(session.Terminal.Clock.GetUtcNow()));
        var isOver = isEnd ? session.Terminal.Clock.GetElapsedTime(_grew) >= RecordIsOver : start == 0;
        _lastBuffered -= isOver ? lines : start;
        return isOver ? lines : start;
    }

    private async Task Send(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        var part = new FilePart(_end, bytes.Length);
        _end += bytes.Length;
        if (_state is not null)
        {
            _state = Known(_state) with { Sent = [.. _state.Sent, part] };
            _state.Keep(stateFolder);
        }

        _sent.AddLast((part, Try(part, bytes, cancel)));
        await Settle(AtOnce - 1, cancel);
    }

    /// <summary>A file that was empty or short when it was met is told from others by all of its first bytes, as they come.</summary>
    private SendState Known(SendState state)
    {
        if (state.BeginningLength == SendState.MaxBeginning || file is not FileStream stream)
        {
            return state;
        }

        Span<byte> beginning = stackalloc byte[SendState.MaxBeginning];
        return state.KnownBy(beginning[..SendState.ReadBeginning(stream, beginning)]);
    }

    /// <summary>Waits until no more than so many parts are on their way, and keeps what was stored. Parts are settled in order.</summary>
    private async Task Settle(int atMost, CancellationToken cancel)
    {
        while (_sent.Count > atMost)
        {
            var (part, answer) = _sent.First!.Value;
            var reply = await answer.WaitAsync(cancel);
            _sent.RemoveFirst();
            _stored += reply.Accepted;
            _refused += reply.Refused;
            foreach (var fault in reply.Faults)
            {
                refused(part.Offset, fault);
            }

            if (_state is not null)
            {
                _state = _state with { Done = part.Offset + part.Length, Sent = [.. _state.Sent.Where(other => other.Offset > part.Offset)] };
                _state.Keep(stateFolder);
            }

            told(Progress());
        }
    }

    /// <summary>Sends a part until it is stored: a silo that is full, away or without storage is asked again.</summary>
    private async Task<SendReply> Try(FilePart part, ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        var lines = form with { Id = _state?.Id(part) ?? Unique(), Bytes = bytes };
        for (ICluster? lost = null; ; await Task.Delay(BetweenTries, session.Terminal.Clock, cancel))
        {
            var cluster = lost;
            try
            {
                cluster = lost is null ? await session.Cluster(cancel) : await session.ReopenUnless(lost, cancel);
                lost = null;
                var reply = await cluster.LogSend.Send(lines, cancel).WaitAsync(session.Pace.Answer, session.Terminal.Clock, cancel);
                if (reply.Outcome == SendOutcome.Stored)
                {
                    return reply;
                }

                told(Progress() with { WaitsFor = reply.Outcome == SendOutcome.Full ? "the silo is full" : "the silo's storage does not answer" });
            }
            catch (Exception gone) when (gone is OrleansException or TimeoutException or IOException || (gone is ConsoleException { Code: ExitCode.NoSilo } && part.Offset + _stored > 0))
            {
                lost = cluster;
                told(Progress() with { WaitsFor = "there is no silo" });
            }
        }
    }

    private LogRequestId Unique() => new(_run.High, _run.Low + _next++);

    private readonly LogRequestId _run = NewRun();

    private static LogRequestId NewRun()
    {
        var bytes = Guid.NewGuid().ToByteArray();
        return new(BitConverter.ToUInt64(bytes), BitConverter.ToUInt64(bytes, 8));
    }

    private SendProgress Progress() => new(_name, _sent.First?.Value.Part.Offset ?? _end, file.CanSeek ? file.Length : 0, _stored, _refused, ResumedAt);
}
