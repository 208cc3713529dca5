using Grains.Interfaces.Logs;

namespace Client.Logs;

/// <summary>How much is to come in, and what is to be ridden out.</summary>
/// <param name="Rate">Records a second.</param>
/// <param name="Bytes">Of a record.</param>
/// <param name="Outage">Storage may be away so long without a record being turned away.</param>
/// <param name="Write">What one segment takes from its last record to its acknowledgement: encode, put, commit.</param>
internal sealed record LogLoad(double Rate, long Bytes, TimeSpan Outage, TimeSpan Write);

/// <summary>
/// What a load needs, and what settings would do with it: in flight = rate × (gather + write), buffer = rate × outage on top, shards = rate
/// ÷ batch × write.
/// </summary>
/// <param name="Gather">How long the first record of a segment waits: the settings' linger, or less when a segment's worth comes in
/// sooner.</param>
/// <param name="InFlightBytes">Held while all is well.</param>
/// <param name="BufferBytes">Held at the end of the outage: what the buffer must have room for.</param>
/// <param name="BatchRecords">In the largest segment: half of a shard's share of the settings' buffer, for while one is written the next
/// one fills.</param>
/// <param name="Shards">That write so much, each one segment at a time.</param>
/// <param name="RidesOut">How long an outage the settings' buffer stands, before it answers that it is full.</param>
/// <param name="MaxRate">Records a second that the settings' shards can write.</param>
/// <param name="Acknowledged">After so long a record is acknowledged, as a rule.</param>
internal sealed record LogSizing(
    TimeSpan Gather,
    long InFlightBytes,
    long BufferBytes,
    long BatchRecords,
    int Shards,
    TimeSpan RidesOut,
    double MaxRate,
    TimeSpan Acknowledged
)
{
    public static LogSizing Of(LogLoad load, LogSettings settings)
    {
        var bytesPerSecond = load.Rate * load.Bytes;
        var worth = Math.Max(1, Math.Min(settings.SegmentRecords, settings.SegmentBytes / load.Bytes));
        var gather = TimeSpan.FromSeconds(Math.Min(settings.Linger.TotalSeconds, worth * settings.Shards / load.Rate));
        var inFlight = bytesPerSecond * (gather + load.Write).TotalSeconds;
        var batch = Math.Max(worth, settings.BufferBytes / (2 * settings.Shards * load.Bytes));
        var perShard = batch / load.Write.TotalSeconds;
        var left = Math.Max(0, settings.BufferBytes - inFlight);
        return new(
            gather,
            (long)Math.Ceiling(inFlight),
            (long)Math.Ceiling(inFlight + (bytesPerSecond * load.Outage.TotalSeconds)),
            batch,
            Math.Max(1, (int)Math.Ceiling(load.Rate / perShard)),
            TimeSpan.FromSeconds(Math.Min(left / bytesPerSecond, TimeSpan.FromDays(3650).TotalSeconds)),
            perShard * settings.Shards,
            gather + load.Write
        );
    }

    /// <summary>The settings hold what is asked.</summary>
    public bool Holds(LogSettings settings) => settings.BufferBytes >= BufferBytes && settings.Shards >= Shards;
}
