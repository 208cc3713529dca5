using Client.Values;
using Grains.Interfaces.Logs;

namespace Client.Logs;

/// <summary>
/// Sends what a path names, over its rotations: the file that was sent before is known by its content, found beside the path when it was
/// renamed, copied or packed, and sent to its end; then
/// the files that were rotated after it, and at last the one that bears the name now.
/// </summary>
/// <param name="format">Null: each file is JSON when it begins like it, and text otherwise.</param>
internal sealed class PathSender(Session session, SendLines form, string name, LineFormat? format, string stateFolder, SendScreen screen)
{
    /// <summary>So many files beside the path are looked into.</summary>
    private const int MaxBeside = 1000;

    /// <summary>Fewer bytes before the place where sending stopped prove little: a line that every file begins with.</summary>
    private const int ShortMark = 256;

    /// <summary>Some systems keep the times of files in whole seconds, or every other one.</summary>
    private static readonly TimeSpan s_coarseStep = TimeSpan.FromSeconds(2);

    /// <summary>And others in those of the kernel's timer.</summary>
    private static readonly TimeSpan s_fineStep = TimeSpan.FromMilliseconds(10);

    private readonly string _path = Path.GetFullPath(name);
    private readonly List<SendProgress> _results = [];

    /// <summary>Something that was there may not have been sent, and nobody can send it any more.</summary>
    public bool HasGaps { get; private set; }

    /// <summary>Sends all that there is; what was sent of each file, the one that bears the name last.</summary>
    public async Task<IReadOnlyList<SendProgress>> SendAll(bool fromStart, CancellationToken cancel)
    {
        using var file = LogFile.Open(name);
        if (!file.IsKept)
        {
            var lines = form with { FileName = Path.GetFileName(_path), Format = format ?? LineFormat.Text };
            await Send(file, new(session, lines, file.From(0), null, null, stateFolder, screen.Show, Refused(file)), isLast: true, cancel);
            return _results;
        }

        await Send(
            file,
            Sender(file, await CatchUp(fromStart ? null : SendState.Of(stateFolder, _path, form.Service), before: null, file, cancel)),
            isLast: true,
            cancel
        );
        return _results;
    }

    /// <summary>Sends lines as they come, until it is cancelled. Each rotation's file is the next one, and begins at its start.</summary>
    public async Task Follow(bool fromStart, TimeSpan look, CancellationToken cancel)
    {
        var state = fromStart ? null : SendState.Of(stateFolder, _path, form.Service);
        for (FollowEnd? before = null; ; )
        {
            using var file = LogFile.OpenIfThere(name);
            if (file is null)
            {
                await Task.Delay(look, session.Terminal.Clock, cancel);
                continue;
            }

            if (file is { IsPacked: true } or { IsKept: false })
            {
                throw new ConsoleException(
                    $"\"{name}\" is {(file.IsKept ? "packed" : "a pipe")} and cannot be followed; send it without --follow.",
                    ExitCode.WrongUsage
                );
            }

            before = await Sender(file, await CatchUp(state, before, file, cancel)).Follow(name, look, cancel);
            state = before.State;
        }
    }

    /// <summary>
    /// Sends what is left of the file that was sent before, when it bears the name no more, and those rotated after it; the state from
    /// which the file goes on that bears it now.
    /// </summary>
    /// <param name="before">How that one ended while it was followed: the file that bears the name now is another then, or has been written
    /// anew. Null: that is to be found out.</param>
    private async Task<SendState> CatchUp(SendState? state, FollowEnd? before, LogFile now, CancellationToken cancel)
    {
        var begun = SendState.Begin(_path, form.Service);
        if (state is null or { End: 0, FileId: null })
        {
            return begun;
        }

        using var beside = Beside(state, out var after);
        if (
            before is null
            && now.Is(state)
            && (state.End > 0 || now.Id == state.FileId)
            && (beside is null || beside.Id != state.FileId || now.Id == state.FileId)
        )
        {
            return state;
        }

        if (beside is not null)
        {
            await Send(beside, Sender(beside, state), isLast: false, cancel);
        }
        else if (before is not { IsWhole: true } && state.End > 0)
        {
            TellGap(state, before);
        }

        foreach (var rotated in after)
        {
            if (!rotated.IsReadable)
            {
                HasGaps = true;
                session.Terminal.Warn(
                    $"\"{rotated.Name}\" was written after what was sent of \"{name}\", and is packed in a form that cannot be "
                        + $"read here: it was not sent. Unpack it and send it."
                );
                continue;
            }

            using var whole = LogFile.Open(Path.Combine(Path.GetDirectoryName(_path)!, rotated.Name));
            await Send(whole, Sender(whole, SendState.Begin(_path, form.Service)), isLast: false, cancel);
        }

        return begun;
    }

    /// <summary>
    /// The file beside the path that the state tells of; those that were rotated after it, the oldest first. One that is known by a few
    /// bytes only must have been written since: every older one
    /// may begin with the same line.
    /// </summary>
    private LogFile? Beside(SendState state, out IReadOnlyList<RotatedName> after)
    {
        var (folder, file) = (Path.GetDirectoryName(_path)!, Path.GetFileName(_path));
        var names = new DirectoryInfo(folder)
            .EnumerateFiles("*", new EnumerationOptions { AttributesToSkip = FileAttributes.None })
            .Select(other => other.Name)
            .Where(other => other != file && other.StartsWith(Path.GetFileNameWithoutExtension(file), StringComparison.Ordinal))
            .Take(MaxBeside)
            .ToArray();
        var rotated = names.Select(other => RotatedName.Of(file, other)).OfType<RotatedName>().ToList();
        rotated.Sort(RotatedName.OldestFirst);
        after = [];

        // The same file under another name first, then by content: what was rotated last, then whatever else lies there.
        var byAge = rotated.Select(other => other.Name).Reverse().ToArray();
        var candidates = byAge.Concat(names.Except(byAge)).Select(other => Path.Combine(folder, other)).ToArray();
        var (same, others) = (
            candidates.Where(other => state.FileId is not null && FileStatus.Of(other)?.Id == state.FileId),
            state.End > 0 ? candidates : []
        );
        foreach (var candidate in same.Concat(others))
        {
            if (LogFile.OpenIfReadable(candidate) is not { } found)
            {
                continue;
            }

            if (found.Is(state) && (found.Id == state.FileId || state.EndingLength >= ShortMark || IsWrittenSince(state, candidate)))
            {
                if (rotated.FirstOrDefault(other => other.Name == Path.GetFileName(candidate)) is { } match)
                {
                    after =
                    [
                        .. rotated
                            .Where(other => other.IsNewerThan(match) && IsWrittenSince(state, Path.Combine(folder, other.Name)))
                            .GroupBy(other => other.Name[..^other.Packing.Length])
                            .Select(forms => forms.Last()),
                    ];
                }

                return found;
            }

            found.Dispose();
        }

        return null;
    }

    /// <summary>
    /// Whether a file was written after the last bytes that were sent were read: what is older has nothing that was not sent.
    /// </summary>
    private static bool IsWrittenSince(SendState state, string path)
    {
        var written = File.GetLastWriteTimeUtc(path);
        var step = written.Ticks % TimeSpan.TicksPerSecond == 0 ? s_coarseStep : s_fineStep;
        return state.ReadAt is not { } read || written + step >= read.UtcDateTime;
    }

    private void TellGap(SendState state, FollowEnd? before)
    {
        var lost = (before?.Seen ?? state.End) - state.Done;
        HasGaps |= lost > 0;
        session.Terminal.Warn(
            $"\"{name}\" is not the file any more that was sent up to byte {state.Done}, and that one is not beside it: "
                + (
                    lost > 0
                        ? $"{Counts.Of(lost, "byte", "bytes")} after that were not sent, or not acknowledged."
                        : "if anything was written to it after that, it was not sent."
                )
        );
    }

    private FileSender Sender(LogFile file, SendState state)
    {
        var beginning = file.ReadAt(0, FileEncoding.MaxBeginning);
        var isJson = FileEncoding.Of(beginning).ToUtf8(beginning, isFirst: true).Span.TrimStart(" \t\r\n"u8) is [(byte)'{', ..];
        return new(
            session,
            form with
            {
                FileName = Path.GetFileName(_path),
                Format = format ?? (isJson ? LineFormat.Ndjson : LineFormat.Text),
            },
            null,
            file,
            state,
            stateFolder,
            progress => screen.Show(progress with { File = Path.GetFileName(file.Path) }),
            Refused(file)
        );
    }

    private Action<long, LineFault> Refused(LogFile file) =>
        (offset, fault) => screen.Refused(file.Path == _path ? name : file.Path, offset, fault);

    /// <summary>Sends a file to its end; of one that bears another name by now it is told only when there was something to send.</summary>
    private async Task Send(LogFile file, FileSender sender, bool isLast, CancellationToken cancel)
    {
        var sent = (await sender.SendAll(cancel)) with { File = Path.GetFileName(file.Path) };
        if (sender.WasCut)
        {
            HasGaps = true;
            session.Terminal.Warn(
                $"\"{sent.File}\" was cut or written anew after byte {sent.Bytes} while it was sent. Send it again for what it "
                    + $"has now; what it had is sent if a copy is beside it."
            );
        }
        else if (sender.Left > 0)
        {
            HasGaps = true;
            session.Terminal.Warn(
                $"{Counts.Of(sender.Left, "byte", "bytes")} at the end of \"{sent.File}\" are no whole character, and were not sent."
            );
        }

        if (isLast || sent is not { Stored: 0, Refused: 0 })
        {
            _results.Add(sent);
            screen.Done(sent);
        }
    }
}
