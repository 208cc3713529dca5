using Grains.Interfaces.Logs;
using Grains.Logs.Text;

namespace Client.Logs;

/// <summary>What was sent so far.</summary>
internal sealed record SendProgress(string File, long Bytes, long Length, long Stored, long Refused, long ResumedAt)
{
    /// <summary>What the sender waits for; null while it goes on.</summary>
    public string? WaitsFor { get; init; }
}

/// <summary>How following a file came to its end.</summary>
/// <param name="State">How far it was sent.</param>
/// <param name="IsWhole">All that it had was sent; else it was cut before that, and another file may have the rest.</param>
/// <param name="Seen">The longest that it was seen, in bytes.</param>
internal sealed record FollowEnd(SendState State, bool IsWhole, long Seen);

/// <summary>
/// Sends one file in parts of whole lines, a few at once, and keeps how far it came before and after each: it may be stopped or killed at
/// any moment and go on later.
/// </summary>
/// <param name="input">Standard input or a pipe, which nobody can read twice; null for a file.</param>
/// <param name="file">Null for standard input and pipes.</param>
/// <param name="state">How far the file was sent.</param>
internal sealed class FileSender(
    Session session,
    SendLines form,
    Stream? input,
    LogFile? file,
    SendState? state,
    string stateFolder,
    Action<SendProgress> told,
    Action<long, LineFault> refused
)
{
    /// <summary>A part ends with a line, and has this many bytes at most; a longer line is cut here, between two characters.</summary>
    public const int PartBytes = 1024 * 1024;

    /// <summary>Parts that are on their way at once.</summary>
    public const int AtOnce = 4;

    /// <summary>A file that was renamed is read on for so many looks while it grows.</summary>
    private const int LooksAfterRenaming = 40;

    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(1);

    /// <summary>When a followed file has not grown for so long, its last record of several lines is whole.</summary>
    private static readonly TimeSpan RecordIsOver = TimeSpan.FromSeconds(1);

    private readonly RecordJoiner _joiner = new(
        new(TimeZoneInfo.TryFindSystemTimeZoneById(form.Zone, out var zone) ? zone : TimeZoneInfo.Utc)
    );
    private int _lastBuffered;
    private long _grew;
    private readonly LinkedList<(FilePart Part, byte[] Ending, long? OpenLine, Task<SendReply> Reply)> _sent = [];
    private readonly byte[] _buffer = new byte[PartBytes];
    private readonly string _name = form.FileName;
    private readonly LogRequestId _run = NewRun();
    private Stream _input = input ?? Stream.Null;
    private SendState? _state = state;
    private FileEncoding? _encoding;
    private byte[] _beginning = [];
    private byte[] _ending = [];
    private long? _openLine = state?.OpenLine;
    private DateTimeOffset _readAt;
    private int _buffered;
    private long _end;
    private long _stored;
    private long _refused;
    private long _seen;
    private ulong _next;

    /// <summary>Where it went on; 0: at the start.</summary>
    public long ResumedAt { get; } = state?.Done ?? 0;

    /// <summary>Bytes at the file's end that are no whole character, and so were not sent.</summary>
    public int Left => _buffered;

    /// <summary>The file was cut or written anew while it was sent: what it had is not sent to its end.</summary>
    public bool WasCut { get; private set; }

    private bool CanReadAgain => file is { IsPacked: false };

    /// <summary>Sends what there is, the last line too if it has no end, and waits until all of it is stored.</summary>
    public async Task<SendProgress> SendAll(CancellationToken cancel)
    {
        await Resend(cancel);
        WasCut = !await SendRest(wholeLines: false, cancel);
        return Progress();
    }

    /// <summary>
    /// Sends whole lines as they come, until it is cancelled, or the name is another file's, or the file was cut. When its name is
    /// another's this ends with what is still written to the
    /// file for as long as it grows, ten seconds at most, the last line too if it has no end.
    /// </summary>
    public async Task<FollowEnd> Follow(string name, TimeSpan look, CancellationToken cancel)
    {
        await Resend(cancel);
        while (await SendRest(wholeLines: true, cancel) && file!.IsNamed(name))
        {
            await Task.Delay(look, session.Terminal.Clock, cancel);
        }

        for (var (looks, before) = (0, -1L); IsAsItWas() && before < _end && looks < LooksAfterRenaming; looks++)
        {
            before = _end;
            await Task.Delay(look, session.Terminal.Clock, cancel);
            await SendRest(wholeLines: true, cancel);
        }

        var isWhole = await SendRest(wholeLines: false, cancel);
        return new(_state!, isWhole, _seen);
    }

    /// <summary>False when it stopped because the file is no longer what was read of it.</summary>
    private async Task<bool> SendRest(bool wholeLines, CancellationToken cancel)
    {
        var isAsItWas = true;
        while (await ReadPart(wholeLines, cancel) is { Length: > 0 } part && (isAsItWas = IsAsItWas()))
        {
            await Send(part, cancel);
        }

        await Settle(0, cancel);
        return isAsItWas && IsAsItWas();
    }

    /// <summary>Whether the file still has what was read of it; of what cannot be read again nobody can tell.</summary>
    private bool IsAsItWas()
    {
        if (!CanReadAgain)
        {
            return true;
        }

        var isAsItWas = file!.Has(_beginning, _ending, _end);
        _seen = Math.Max(_seen, isAsItWas ? file.Length : 0);
        return isAsItWas;
    }

    /// <summary>What was on its way when the last run ended goes again, under the same ids: what the log has already, it knows.</summary>
    private async Task Resend(CancellationToken cancel)
    {
        if (_state is null)
        {
            return;
        }

        if (_state.End == 0)
        {
            // Known from now on, though nothing was sent: it may be renamed before anything is.
            _state = _state with { FileId = file!.Id };
            _state.Keep(stateFolder);
        }

        _beginning = file!.ReadAt(0, (int)Math.Min(_state.Done, SendState.MaxMark));
        GoTo(_state.Sent is [var first, ..] ? first.Offset : _state.Done);
        foreach (var part in _state.Sent)
        {
            _openLine = null;
            var bytes = new byte[part.Length];
            await _input.ReadExactlyAsync(bytes, cancel);
            Remember(part, bytes);
            _sent.AddLast((part, _ending, _openLine = OpenLineIn(part, bytes), Try(part, bytes, cancel)));
            await Settle(AtOnce - 1, cancel);
        }
    }

    /// <summary>What is read next follows this place.</summary>
    private void GoTo(long offset)
    {
        (_end, _buffered) = (offset, 0);
        _ending = CanReadAgain ? file!.ReadAt(Math.Max(0, offset - SendState.MaxMark), (int)Math.Min(offset, SendState.MaxMark)) : [];
        _input = file!.From(offset);
    }

    /// <summary>The next bytes up to the end of a line; empty when there are none.</summary>
    private async Task<ReadOnlyMemory<byte>> ReadPart(bool wholeLines, CancellationToken cancel)
    {
        await Fill(cancel);
        if (_buffered > 0 && _state is not null && _openLine is { } openLine)
        {
            await Settle(0, cancel);
            await CloseLine(openLine, cancel);
        }

        // At the end of a file that nobody follows, the last line needs no end; a line that fills the buffer is cut.
        var isEnd = _buffered < _buffer.Length;
        var encoding = Encoding();
        var lines = encoding.WholeLines(_buffer.AsSpan(0, _buffered));
        if (form is { IsMultiline: true, Format: LineFormat.Text } && encoding.IsUtf8 && (wholeLines || !isEnd))
        {
            lines = Records(lines, isEnd);
        }

        var length =
            isEnd && !wholeLines ? encoding.WholeUnits(_buffer.AsSpan(0, _buffered))
            : isEnd || lines > 0 ? lines
            : encoding.WholeCharacters(_buffer.AsSpan(0, _buffered));
        var part = _buffer.AsSpan(0, length).ToArray();
        _buffer.AsSpan(length, _buffered - length).CopyTo(_buffer);
        _buffered -= length;
        return part;
    }

    /// <summary>
    /// Reads until the buffer is full or there is nothing more. What can be read again is: the end of a line may have changed with all that
    /// follows.
    /// </summary>
    private async Task Fill(CancellationToken cancel)
    {
        _readAt = session.Terminal.Clock.GetUtcNow();
        if (CanReadAgain)
        {
            _input.Seek(_end, SeekOrigin.Begin);
            _buffered = 0;
        }

        while (_buffered < _buffer.Length)
        {
            var read = await _input.ReadAsync(_buffer.AsMemory(_buffered), cancel);
            if (read == 0)
            {
                break;
            }

            _buffered += read;
        }
    }

    /// <summary>
    /// The last line was sent before it had an end, and something follows: when that is the end alone, the line was whole, and the end is
    /// passed over. Else the line was finished later, and
    /// goes again as it is now.
    /// </summary>
    private async Task CloseLine(long openLine, CancellationToken cancel)
    {
        var lineEnd = Encoding().LineEndAtStart(_buffer.AsSpan(0, _buffered));
        _openLine = null;
        if (lineEnd > 0)
        {
            Remember(new(_end, lineEnd), _buffer.AsSpan(0, lineEnd));
            _buffer.AsSpan(lineEnd, _buffered - lineEnd).CopyTo(_buffer);
            _buffered -= lineEnd;
            _state = _state! with { Done = _end, Ending = SendState.Hash(_ending), EndingLength = _ending.Length, OpenLine = null };
            _state.Keep(stateFolder);
            return;
        }

        GoTo(openLine);
        await Fill(cancel);
    }

    /// <summary>By the file's first bytes; while there are too few to tell, as they are.</summary>
    private FileEncoding Encoding()
    {
        if (_encoding is not null)
        {
            return _encoding;
        }

        var encoding = FileEncoding.Of(_end == 0 ? _buffer.AsSpan(0, Math.Min(_buffered, FileEncoding.MaxBeginning)) : _beginning);
        _encoding = _end > 0 || _buffered >= FileEncoding.MaxBeginning ? encoding : null;
        return encoding;
    }

    /// <summary>
    /// Of whole lines, those of whole records: the last record may go on, until the next one begins or the file has not grown for
    /// <see cref="RecordIsOver"/>.
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
        // Asked while the buffer still tells: the last part of a short file leaves nothing to ask later.
        _encoding ??= FileEncoding.Of(_end == 0 ? bytes.Span : _beginning);
        Remember(part, bytes.Span);
        if (_state is not null)
        {
            _state = _state.BeginsWith(_beginning) with { Sent = [.. _state.Sent, part], FileId = file?.Id, ReadAt = _readAt };
            _state.Keep(stateFolder);
        }

        _sent.AddLast((part, _ending, _openLine = OpenLineIn(part, bytes.Span), Try(part, bytes, cancel)));
        await Settle(AtOnce - 1, cancel);
    }

    /// <summary>The file was read up to the end of the part: its first bytes are kept, and the last before that end.</summary>
    private void Remember(FilePart part, ReadOnlySpan<byte> bytes)
    {
        _end = part.End;
        var known = _beginning.Length - part.Offset;
        if (_beginning.Length < SendState.MaxMark && known >= 0 && known < bytes.Length)
        {
            _beginning = [.. _beginning, .. bytes[(int)known..(int)Math.Min(bytes.Length, SendState.MaxMark - part.Offset)]];
        }

        _ending =
            bytes.Length >= SendState.MaxMark
                ? bytes[^SendState.MaxMark..].ToArray()
                : [.. _ending.TakeLast(SendState.MaxMark - bytes.Length), .. bytes];
    }

    /// <summary>Where the last line of a part begins when it has no end; null for a line that was cut, whose next part goes on.</summary>
    private long? OpenLineIn(FilePart part, ReadOnlySpan<byte> bytes)
    {
        _encoding ??= FileEncoding.Of(_beginning);
        var lines = _encoding.WholeLines(bytes);
        return lines == bytes.Length || (lines == 0 && bytes.Length > PartBytes - FileEncoding.MaxBeginning) ? null : part.Offset + lines;
    }

    /// <summary>Waits until no more than so many parts are on their way, and keeps what was stored. Parts are settled in order.</summary>
    private async Task Settle(int atMost, CancellationToken cancel)
    {
        while (_sent.Count > atMost)
        {
            var (part, ending, openLine, answer) = _sent.First!.Value;
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
                _state = _state with
                {
                    Done = part.End,
                    Sent = [.. _state.Sent.Where(other => other.Offset > part.Offset)],
                    Ending = SendState.Hash(ending),
                    EndingLength = ending.Length,
                    OpenLine = openLine,
                };
                _state.Keep(stateFolder);
            }

            told(Progress());
        }
    }

    /// <summary>Sends a part until it is stored: a silo that is full, away or without storage is asked again.</summary>
    private async Task<SendReply> Try(FilePart part, ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        var text = (_encoding ?? FileEncoding.Of(_beginning)).ToUtf8(bytes, isFirst: part.Offset == 0);
        var lines = form with { Id = _state?.Id(part) ?? Unique(), Bytes = text };
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

                told(
                    Progress() with
                    {
                        WaitsFor = reply.Outcome == SendOutcome.Full ? "the silo is full" : "the silo's storage does not answer",
                    }
                );
            }
            catch (Exception gone)
                when (gone is OrleansException or TimeoutException or IOException
                    || (gone is ConsoleException { Code: ExitCode.NoSilo } && part.Offset + _stored > 0)
                )
            {
                lost = cluster;
                told(Progress() with { WaitsFor = "there is no silo" });
            }
        }
    }

    private LogRequestId Unique() => new(_run.High, _run.Low + _next++);

    private static LogRequestId NewRun()
    {
        var bytes = Guid.NewGuid().ToByteArray();
        return new(BitConverter.ToUInt64(bytes), BitConverter.ToUInt64(bytes, 8));
    }

    private SendProgress Progress() => new(_name, _sent.First?.Value.Part.Offset ?? _end, file?.Length ?? 0, _stored, _refused, ResumedAt);
}
