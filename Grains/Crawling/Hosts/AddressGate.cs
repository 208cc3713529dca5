using System.Globalization;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Hosts;

/// <summary>
/// A host's turn at its server's address, where a crawl asked for one pace per address (<see cref="CrawlSpec.PerIp"/>): taken before each
/// request, given back when that has ended. It is told the time, by the schedule's clock.
/// </summary>
internal sealed class AddressGate
{
    private long _turn;
    private bool _isUsed;
    private bool _isFree;
    private DateTimeOffset _startBy = DateTimeOffset.MinValue;
    private DateTimeOffset _askAt = DateTimeOffset.MinValue;
    private DateTimeOffset _putOffUntil = DateTimeOffset.MinValue;
    private int _ahead;

    /// <summary>Requests need a turn.</summary>
    public bool IsOn { get; set; }

    /// <summary>The address as it was looked up last; null: not yet, or the name has none.</summary>
    public string? Address { get; private set; }

    /// <summary>A turn is being asked for or given back: its answer decides.</summary>
    public bool IsAsking { get; private set; }

    public bool MayStart(DateTimeOffset now) => !IsOn || (!_isUsed && (_turn != 0 || _isFree) && now < _startBy);

    /// <summary>There is a turn to ask for, and it is worth it.</summary>
    public bool WantsTurn(DateTimeOffset now) =>
        IsOn && !IsAsking && !_isUsed && _turn == 0 && !MayStart(now) && _askAt <= now && _putOffUntil <= now;

    /// <summary>There is a turn, and no request was made in it yet.</summary>
    public bool HasTurn => _turn != 0 && !_isUsed && !IsAsking;

    /// <summary>The turn to give back: its request has ended, or nobody made one in time. 0: none.</summary>
    public long ToGiveBack(DateTimeOffset now) => !IsAsking && !_isUsed && _turn != 0 && (!IsOn || now >= _startBy) ? _turn : 0;

    /// <summary>When to look again; null: when something happens.</summary>
    public DateTimeOffset? Next(DateTimeOffset now) =>
        !IsOn || IsAsking || _isUsed ? null
        : _turn != 0 ? _startBy
        : _askAt > now || _putOffUntil > now ? (_askAt > _putOffUntil ? _askAt : _putOffUntil)
        : null;

    /// <summary>Why the host waits, in a sentence; null: not for this.</summary>
    public string? Why =>
        !IsOn || Address is null || _turn != 0 || _ahead == 0
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"It waits for its turn at {Address} (--per-ip); hosts before it there: {_ahead}."
            );

    public void Ask() => IsAsking = true;

    /// <summary>The answer to <see cref="Ask"/>.</summary>
    /// <param name="address">Null: the name has none, and the request that finds so needs no turn.</param>
    /// <param name="startBy">A turn is used until then, or given back.</param>
    public void Answered(string? address, AddressTurn turn, DateTimeOffset now, DateTimeOffset startBy)
    {
        IsAsking = false;
        Address = address;
        _ahead = turn.Ahead;
        _isFree = address is null;
        _turn = turn.Number;
        (_startBy, _askAt) = _isFree || _turn != 0 ? (startBy, now) : (now, now + turn.Wait);
    }

    /// <summary>Nothing is asked any more, and no turn came of it.</summary>
    public void Settled(DateTimeOffset askAt) => (IsAsking, _askAt) = (false, askAt);

    /// <summary>A request goes out.</summary>
    public void Start() => _isUsed = IsOn;

    /// <summary>The request that went out has ended, or needs the turn no longer.</summary>
    public void End()
    {
        if (_isUsed)
        {
            (_isUsed, _isFree, _startBy) = (false, false, DateTimeOffset.MinValue);
        }
    }

    /// <summary>Nothing can be asked of the host before then: a turn that is there is for others.</summary>
    public void PutOff(DateTimeOffset until)
    {
        _putOffUntil = until;
        if (!_isUsed)
        {
            (_isFree, _startBy) = (false, DateTimeOffset.MinValue);
        }
    }

    /// <summary>Something can be asked of the host again.</summary>
    public void GoOn() => _putOffUntil = DateTimeOffset.MinValue;

    /// <summary>The turn is being given back.</summary>
    public void GiveBack() => (IsAsking, _turn) = (true, 0);
}
