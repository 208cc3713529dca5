namespace Grains.Logs.Rules;

/// <summary>
/// Lets so many of each service through in a second, told the time. Thread-safe. Beyond <see cref="MaxServices"/> services in one second,
/// the others share a count.
/// </summary>
internal sealed class SampleGate(int perSecond)
{
    public const int MaxServices = 1000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _passed = new(StringComparer.Ordinal);
    private long _second;

    public bool Pass(string service, DateTimeOffset now)
    {
        var second = now.ToUnixTimeSeconds();
        lock (_lock)
        {
            if (second != _second)
            {
                _second = second;
                _passed.Clear();
            }

            var counted = _passed.ContainsKey(service) || _passed.Count < MaxServices ? service : "";
            var passed = _passed.GetValueOrDefault(counted);
            if (passed >= perSecond)
            {
                return false;
            }

            _passed[counted] = passed + 1;
            return true;
        }
    }
}
