namespace Grains.Logs.Records;

/// <summary>What a request's bytes held.</summary>
/// <param name="maxFaults">Refusals whose reasons are kept in words.</param>
public sealed class Decoded(int maxFaults = Decoded.MaxFaults)
{
    /// <summary>Refusals whose reasons are kept in words, unless more are asked for.</summary>
    public const int MaxFaults = 20;

    private readonly List<DecodeFault> _faults = [];

    /// <summary>Records that were seen, taken and refused.</summary>
    public int Received { get; set; }

    /// <summary>Records that were not taken.</summary>
    public int Refused { get; private set; }

    /// <summary>The service of the refused ones, where it is known, and why; the first ones.</summary>
    public IReadOnlyList<DecodeFault> Faults => _faults;

    /// <summary>The next refusal's reason will be kept in words.</summary>
    public bool KeepsWords => _faults.Count < maxFaults;

    /// <summary>By service and reason, all of them.</summary>
    public Dictionary<(string Service, string Reason), int> RefusedByReason { get; } = [];

    /// <param name="place">Which one: a line's number, or a record's, counted from 1.</param>
    /// <param name="reason">One word, for the books: <c>too-large</c>.</param>
    /// <param name="sentence">What is wrong and what would be right.</param>
    public void Refuse(int place, string service, string reason, string sentence)
    {
        Refused++;
        RefusedByReason[(service, reason)] = RefusedByReason.GetValueOrDefault((service, reason)) + 1;
        if (KeepsWords)
        {
            _faults.Add(new(place, reason, sentence));
        }
    }
}

/// <summary>Why one record was not taken.</summary>
public sealed record DecodeFault(int Place, string Reason, string Sentence);
