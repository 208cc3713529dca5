using System.Collections.Concurrent;
using System.Text;
using Grains.Interfaces.Logs;

namespace Unit.Client;

/// <summary>Takes lines as the log does: the same id twice is stored once.</summary>
internal sealed class SendInMemory : ILogSendGrain
{
    private readonly ConcurrentDictionary<LogRequestId, SendLines> _stored = [];
    private int _calls;

    /// <summary>What is answered to a call, by its number from 1; null: it is stored.</summary>
    public Func<int, SendLines, SendReply?> Answer { get; set; } = (_, _) => null;

    public int Calls => _calls;

    public IReadOnlyCollection<SendLines> Stored => [.. _stored.Values];

    /// <summary>Every line that is stored, part by part, in the order of their text.</summary>
    public string[] Lines =>
        [
            .. _stored
                .Values.Select(lines => Encoding.UTF8.GetString(lines.Bytes.Span))
                .Order(StringComparer.Ordinal)
                .SelectMany(part => part.Split('\n', StringSplitOptions.RemoveEmptyEntries)),
        ];

    public Task<SendReply> Send(SendLines lines, CancellationToken cancel = default)
    {
        if (Answer(Interlocked.Increment(ref _calls), lines) is { } answer)
        {
            return Task.FromResult(answer);
        }

        _stored.TryAdd(lines.Id, lines);
        var count = lines.Bytes.Span.Count((byte)'\n') + (lines.Bytes.Span is [.., (byte)'\n'] or [] ? 0 : 1);
        return Task.FromResult(new SendReply(SendOutcome.Stored, count, 0, []));
    }
}
