using Grains.Interfaces.Logs;
using Grains.Logs;
using Grains.Logs.Rules;
using Grains.Logs.Segments;

namespace Unit.Client;

/// <summary>Rules as they are really kept, in memory; a test of one answers <see cref="Tested"/>.</summary>
internal sealed class RulesInMemory : ILogRulesGrain
{
    private static readonly RetentionClasses Classes = RetentionClasses.TryParse("default=30,short=3", out _)!;

    private RuleList _list = new();

    public RuleTest? Tested { get; set; }

    public TimeSpan? Asked { get; private set; }

    /// <summary>Called before rules are read; may throw, as a silo that is gone.</summary>
    public Action OnRead { get; set; } = () => { };

    public Task<LogRules> List(CancellationToken cancel = default) => Task.FromResult(_list.Shown);

    public Task<LogRules?> Since(long revision, CancellationToken cancel = default)
    {
        OnRead();
        return Task.FromResult(_list.Revision == revision ? null : _list.Shown);
    }

    public Task<RuleReply> Add(string rule, int? number, CancellationToken cancel = default)
    {
        (_list, var reply) = _list.Add(rule, number, Classes);
        return Task.FromResult(reply);
    }

    public Task<RuleReply> Remove(int number, long? revision, CancellationToken cancel = default)
    {
        (_list, var reply) = _list.Remove(number, revision);
        return Task.FromResult(reply);
    }

    public Task<RuleTestReply> Test(string rule, TimeSpan age, CancellationToken cancel = default)
    {
        Asked = age;
        return Task.FromResult(
            LogRule.TryParse(rule, out _, out var error)
                ? new RuleTestReply(Tested, null)
                : new RuleTestReply(null, new(RuleFaultKind.Wrong, error.Show(rule)))
        );
    }
}
