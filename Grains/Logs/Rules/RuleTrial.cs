using System.Collections.Immutable;
using System.Text;
using Grains.Interfaces.Logs;
using Grains.Logs.Segments;

namespace Grains.Logs.Rules;

/// <summary>Runs one rule over records that are stored and says what it would have done.</summary>
public static class RuleTrial
{
    public const int MaxExamples = 3;

    private const int MaxText = 1000;

    public static RuleTest Run(LogRule rule, LogSample sample, Func<double> chance)
    {
        var set = new RuleSet([rule], chance);
        var examples = ImmutableArray.CreateBuilder<RuleExample>(MaxExamples);
        var (filtered, sampled, changed, routed) = (0, 0, 0, 0);
        for (var number = 0; number < sample.Records.Count; number++)
        {
            var record = sample.Records[number];
            var time = DateTimeOffset.UnixEpoch.AddTicks((long)(record.Time / 100));
            // A walk of its own for each: the clock of a sample by the second is the record's.
            using var walk = new RuleSet.Walk(set, time);
            var fate = walk.Send(record, out var retention);
            filtered += fate == RecordFate.Filtered ? 1 : 0;
            sampled += fate == RecordFate.Sampled ? 1 : 0;
            changed += walk.Changed is null ? 0 : 1;
            routed += retention == RetentionClasses.Default ? 0 : 1;
            if (examples.Count < MaxExamples && (fate != RecordFate.Kept || walk.Changed is not null))
            {
                examples.Add(
                    new(
                        time,
                        Encoding.UTF8.GetString(record.Service),
                        Text(record),
                        fate != RecordFate.Kept ? null : Text(walk.Changed![0])
                    )
                );
            }
        }

        return new(
            sample.Matching,
            sample.Total,
            sample.Records.Count,
            sample.IsWhole,
            filtered,
            sampled,
            changed,
            routed,
            examples.ToImmutable()
        );
    }

    private static string Text(in LogRecord record)
    {
        var text =
            Encoding.UTF8.GetString(record.Body) + (record.Attributes.IsEmpty ? "" : " " + Encoding.UTF8.GetString(record.Attributes));
        if (text.Length <= MaxText)
        {
            return text;
        }

        return text[..(char.IsHighSurrogate(text[MaxText - 1]) ? MaxText - 1 : MaxText)] + "…";
    }
}
