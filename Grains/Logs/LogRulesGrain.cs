using Grains.Interfaces.Logs;
using Grains.Logs.Rules;
using Grains.Logs.Segments;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grains.Logs;

/// <summary>
/// Keeps the rules: <see cref="RuleList"/> decides, what it decided is stored, silos ask for it (<see cref="CurrentRules"/>).
/// </summary>
[GrainType("logrules")]
public sealed partial class LogRulesGrain(
    [PersistentState("rules", RuleList.Storage)] IPersistentState<RuleList> state,
    IOptions<LogsOptions> options,
    TimeProvider clock,
    ILogger<LogRulesGrain> logger,
    Func<double> chance,
    ILogSample? stored = null
) : Grain, ILogRulesGrain
{
    public Task<LogRules> List(CancellationToken cancel = default) => Task.FromResult(state.State.Shown);

    public Task<LogRules?> Since(long revision, CancellationToken cancel = default) =>
        Task.FromResult(state.State.Revision == revision ? null : state.State.Shown);

    public async Task<RuleReply> Add(string rule, int? number, CancellationToken cancel = default)
    {
        var (list, reply) = state.State.Add(rule, number, Classes());
        if (await Save(list, cancel))
        {
            LogAdded(reply.Number, list.Rules.Length, list.Revision);
        }

        return reply;
    }

    public async Task<RuleReply> Remove(int number, long? revision, CancellationToken cancel = default)
    {
        var (list, reply) = state.State.Remove(number, revision);
        if (await Save(list, cancel))
        {
            LogRemoved(reply.Number, list.Rules.Length, list.Revision);
        }

        return reply;
    }

    public async Task<RuleTestReply> Test(string rule, TimeSpan age, CancellationToken cancel = default)
    {
        if (!LogRule.TryParse(rule, out var parsed, out var error))
        {
            return new(null, new(RuleFaultKind.Wrong, error.Show(rule)));
        }

        if (stored is null)
        {
            return new(null, new(RuleFaultKind.Unavailable, "This silo reads no stored records; ask one that answers queries."));
        }

        var sample = await stored.Newest(parsed.Query, clock.GetUtcNow() - age, ILogRulesGrain.MaxTested, cancel);
        return new(RuleTrial.Run(parsed, sample, chance), null);
    }

    /// <summary>False when nothing changed. After a failed write the next activation starts from what is stored.</summary>
    private async Task<bool> Save(RuleList list, CancellationToken cancel)
    {
        if (ReferenceEquals(list, state.State))
        {
            return false;
        }

        state.State = list;
        try
        {
            await state.WriteStateAsync(cancel);
            return true;
        }
        catch
        {
            DeactivateOnIdle();
            throw;
        }
    }

    /// <summary>They were checked when the silo started.</summary>
    private RetentionClasses Classes() =>
        RetentionClasses.TryParse(options.Value.Retention, out var fault) ?? throw new InvalidOperationException(fault);

    [LoggerMessage(Level = LogLevel.Information, Message = "Log rule {Number} of {Count} was added (revision {Revision})")]
    private partial void LogAdded(int number, int count, long revision);

    [LoggerMessage(Level = LogLevel.Information, Message = "Log rule {Number} was removed, {Count} are left (revision {Revision})")]
    private partial void LogRemoved(int number, int count, long revision);
}
